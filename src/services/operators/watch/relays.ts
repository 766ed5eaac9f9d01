import * as Effect from "effect/Effect"
import { complete, type Finding } from "../../../core/operators/alerts.ts"
import {
  isAskedAgain,
  nearLimits,
  readerOf,
  type RelayReport,
  type RelaysReport,
  stoppedBy,
  throttledBy
} from "../../../core/stream/relayReport.ts"
import { Directory } from "../../accounts/Directory.ts"
import { RelayStatus } from "../../stream/RelayStatus.ts"
import { Sequencer, type Subscribers } from "../../stream/Sequencer.ts"
import { HostCounts } from "../HostCounts.ts"
import { WatchNotes } from "../WatchNotes.ts"

const hour = 3_600_000

/** Accounts of one look: a look each five minutes reaches 2,880 in a day. */
const accountsAtOnce = 10

/** The most accounts that a report names. */
const named = 20

/** What the watch last learned of relays and readers. */
export const relaysReport = Effect.map(
  Effect.flatMap(WatchNotes, (notes) => notes.get("relays")),
  // SAFETY: `lookAtRelays` wrote it from a value of this type.
  (note) => note as RelaysReport | undefined
)

/** The accounts that each relay throttles: those known before, and the next accounts. */
const askAccounts = Effect.fnUntraced(function* (
  relays: ReadonlyArray<string>,
  last: RelaysReport | undefined
) {
  const status = yield* RelayStatus
  const { accounts, cursor } = yield* (yield* Directory).list({
    limit: accountsAtOnce,
    ...(last?.cursor === undefined ? {} : { cursor: last.cursor })
  })
  const active = accounts.filter((account) => account.status === "active").map(({ did }) => did)
  const throttled = yield* Effect.forEach(relays, (relay) => {
    const before = last?.relays.find((one) => one.relay === relay)?.throttled ?? []
    const dids = [...new Set([...before, ...active])]
    return Effect.filter(
      dids,
      (did) => Effect.map(status.repo(relay, did), (said) => said === "throttled"),
      { concurrency: 4 }
    )
  })
  return { throttled: throttled.map((dids) => dids.slice(0, named)), cursor }
})

/** How far each reader is, and its rate since the look before. */
const readersOf = (
  { readers, places }: Subscribers,
  before: ReadonlyArray<string>,
  millis: number | undefined
): RelaysReport["readers"] =>
  Object.fromEntries(
    readers.flatMap(({ id, seq, behind, connected }) => {
      if (id === undefined || !connected) return []
      const then = places[before.indexOf(id)]
      const sent = then === undefined ? undefined : Math.max(0, then.behind - behind)
      return [
        [id, { seq, ...(sent === undefined || !millis ? {} : { rate: (sent * 1000) / millis }) }]
      ]
    })
  )

/** Looks at every relay, asks those again that have stopped, and keeps what it learned. */
export const lookAtRelays = Effect.fnUntraced(function* (now: number) {
  const sequencer = yield* Sequencer
  const status = yield* RelayStatus
  const last = yield* relaysReport
  const { relays: calls } = yield* sequencer.subscribers([])
  const relays = calls.map(({ relay }) => relay)
  const claims = yield* Effect.forEach(relays, (relay) => status.host(relay), { concurrency: 4 })
  const before = Object.entries(last?.readers ?? {})
  // The places of times, of what relays claim, and of the readers at the look before.
  const times = [now - hour, now - 24 * hour].map((time) => time * 1000)
  const claimed = claims.map((claim) => (claim.kind === "known" ? claim.seq : undefined))
  const stream = yield* sequencer.subscribers([
    ...before.map(([, { seq }]) => seq),
    ...times,
    ...claimed.map((seq) => seq ?? 0)
  ])
  const placeOf = (at: number) => stream.places[before.length + at]
  const events = { hour: placeOf(0)?.behind ?? 0, day: placeOf(1)?.behind ?? 0 }
  const counts = yield* (yield* HostCounts).last
  const accounts = counts?.accounts["active"] ?? 0
  const known = relays.filter((_, at) => claims[at]?.kind === "known")
  const asked = yield* askAccounts(known, last)
  const isAnybodyCurrent = stream.readers.some((one) => one.connected && one.behind === 0)
  const newest = stream.seq === 0 ? undefined : stream.seq / 1000
  const found: Array<Finding> = []
  const reports = yield* Effect.forEach(
    relays,
    Effect.fnUntraced(function* (relay, at) {
      const claim = claims[at] ?? { kind: "silent" as const, why: "not asked" }
      const place = claimed[at] === undefined ? undefined : placeOf(times.length + at)
      const reader = readerOf(relay, relays, stream.readers)
      const throttled = asked.throttled[known.indexOf(relay)] ?? []
      const stopped = stoppedBy({ claim, place, reader, isAnybodyCurrent, newest }, now)
      const alerts = [
        ["relay-stopped", stopped],
        ["relay-throttled", throttledBy(claim, throttled)],
        ["relay-limit", nearLimits(claim, { ...events, accounts })]
      ] as const
      for (const [kind, detail] of alerts) {
        if (detail !== undefined) found.push({ kind, subject: relay, detail })
      }
      const earlier = last?.relays.find((one) => one.relay === relay)
      const { behind, waiting } = place ?? reader ?? {}
      const base = {
        relay,
        at: now,
        claim,
        throttled,
        ...(behind === undefined ? {} : { behind }),
        ...(waiting === undefined ? {} : { waiting })
      }
      if (stopped === undefined) return { ...base, askedAgain: 0 } satisfies RelayReport
      const askedAgain = earlier?.askedAgain ?? 0
      const askedAgainAt = earlier?.askedAgainAt
      const asking = { askedAgain, ...(askedAgainAt === undefined ? {} : { askedAgainAt }) }
      if (!isAskedAgain(asking, now)) return { ...base, ...asking } satisfies RelayReport
      yield* sequencer.askRelay(relay)
      return { ...base, askedAgain: askedAgain + 1, askedAgainAt: now } satisfies RelayReport
    })
  )
  const millis = last === undefined ? undefined : now - last.at
  const report: RelaysReport = {
    at: now,
    events,
    relays: reports,
    readers: readersOf(
      stream,
      before.map(([id]) => id),
      millis
    ),
    ...(asked.cursor === undefined ? {} : { cursor: asked.cursor })
  }
  yield* (yield* WatchNotes).set("relays", report)
  return complete(["relay-stopped", "relay-throttled", "relay-limit"], found)
})
