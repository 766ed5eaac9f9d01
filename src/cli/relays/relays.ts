import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { variable } from "../flags.ts"
import { checkLines } from "../identity/identity.ts"
import { moment, type Style, table } from "../output.ts"
import { isLocal } from "../place.ts"
import { knownAdministrator } from "../administrator.ts"
import { audienceOf, type Place, type Reader, type RelayCall } from "./audience.ts"
import { claimOf } from "./claim.ts"
import { readerOf } from "../../core/stream/relayReport.ts"
import { judge } from "./judge.ts"

/** The account whose newest rev relays should have. */
export interface Watched {
  readonly did: string
  readonly rev: string | undefined
}

/** The server's own data, if the administrator's password is known and the server returns it. */
const knownAudience = Effect.fnUntraced(function* (server: string) {
  const admin = yield* knownAdministrator(server)
  if (admin === undefined) return undefined
  const audience = yield* Effect.orElseSucceed(audienceOf(admin), () => undefined)
  return audience === undefined ? undefined : { admin, ...audience }
})

/** The relays to check if the server doesn't report its own. */
const assumed = Effect.fnUntraced(function* (server: string) {
  const given = yield* variable("RELAYS")
  if (isLocal(server) && given === undefined) return []
  const origins = (given ?? "https://bsky.network").split(/[\s,]+/).filter(Boolean)
  return origins.includes("none") ? [] : origins
})

const viewOf = (
  check: ReturnType<typeof judge>,
  {
    call,
    reader,
    seq,
    place
  }: {
    readonly call: RelayCall | undefined
    readonly reader: Reader | undefined
    readonly seq: number | undefined
    readonly place: Place | undefined
  }
) => {
  const { at: askedAt, status: answered, message } = call ?? {}
  const read = seq ?? reader?.seq
  const { behind, waiting } = place ?? reader ?? {}
  return {
    ...check,
    askedAt,
    answered,
    message,
    readingSince: reader?.since,
    seq: read,
    behind,
    waiting,
    connected: reader?.connected,
    seen: reader?.seen
  }
}

/** How far relays and other subscribers have read a server. */
export const lookAtRelays = Effect.fn("cli.lookAtRelays")(function* (
  server: string,
  watched: Watched | undefined
) {
  const audience = yield* knownAudience(server)
  const calls = audience?.relays ?? []
  const relays = audience === undefined ? yield* assumed(server) : calls.map(({ relay }) => relay)
  const { host } = new URL(server)
  const claims = yield* Effect.forEach(relays, (relay) => claimOf(relay, host, watched?.did))
  const seqs = claims.map((claim) => (claim.kind === "known" ? claim.seq : undefined))
  const asked = seqs.filter((seq) => seq !== undefined)
  const places =
    audience === undefined || asked.length === 0
      ? []
      : (yield* audienceOf(audience.admin, asked)).places
  const now = yield* Clock.currentTimeMillis
  const readers = audience?.readers ?? []
  const views = relays.map((relay, index) => {
    const claim = claims[index] ?? { kind: "silent" as const, why: "not checked" }
    const call = calls.find((one) => one.relay === relay)
    const reader = readerOf(relay, calls, readers)
    const seq = seqs[index]
    const place = seq === undefined ? undefined : places[asked.indexOf(seq)]
    const check = judge({ relay, claim, call, reader, place, rev: watched?.rev }, now)
    return viewOf(check, { call, reader, seq, place })
  })
  const known = relays.map((relay) => readerOf(relay, calls, readers))
  const others = readers.filter((reader) => !known.includes(reader))
  return { head: audience?.seq, relays: views, others }
})

type Looked = Effect.Success<ReturnType<typeof lookAtRelays>>

const reach = (seq: number | undefined, behind: number | undefined, head: number | undefined) => {
  if (seq === undefined) return ""
  if (head === undefined || behind === undefined) return String(seq)
  return behind === 0 ? `${seq} (up to date)` : `${seq} (head ${head}, ${behind} behind)`
}

const lastSeen = (connected: boolean | undefined, seen: number | undefined): string =>
  connected === true ? "now" : moment(seen)

const relayTable = ({ relays, head }: Looked): string =>
  table(
    ["RELAY", "CALLED", "READING SINCE", "READ UP TO", "LAST SEEN"],
    relays.map((one) => [
      one.name,
      moment(one.askedAt),
      moment(one.readingSince),
      reach(one.seq, one.behind, head),
      lastSeen(one.connected, one.seen)
    ]),
    ""
  )

const readerTable = ({ others, head }: Looked): string =>
  table(
    ["OTHER READERS", "FROM", "SINCE", "SENT UP TO", "LAST SEEN"],
    others.map((one) => [
      one.userAgent ?? "unnamed",
      one.network ?? "",
      moment(one.since),
      reach(one.seq, one.behind, head),
      lastSeen(one.connected, one.seen)
    ]),
    ""
  )

/** Describes relays and other subscribers in words. */
export const relayLines = (looked: Looked, style: Style): string => {
  const { relays, head } = looked
  const checks = relays.length === 0 ? "" : `Relays\n${checkLines(relays, style)}`
  if (head === undefined) return checks
  return [relayTable(looked), checks, readerTable(looked)]
    .filter((part) => part !== "")
    .join("\n\n")
}
