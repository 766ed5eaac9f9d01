import type { Check } from "../identity/checks.ts"
import { moment } from "../output.ts"
import type { Place, Reader, RelayCall } from "./audience.ts"
import type { Claim } from "./claim.ts"

/** Everything that is known of a relay. */
export interface Facts {
  readonly relay: string
  readonly claim: Claim
  /** What the server knows, where the administrator asks. */
  readonly call?: RelayCall | undefined
  readonly reader?: Reader | undefined
  /** How far behind the number is that the relay says to have read. */
  readonly place?: Place | undefined
  /** The newest rev of the account that is looked at. */
  readonly rev?: string | undefined
}

/** How long an event may wait to be read before something is wrong, in milliseconds. */
const patience = 10 * 60_000

/** Standings in which a relay does not read. */
const closed: Readonly<Record<string, string>> = {
  offline: "It is not connected. Write a post, which asks it to come again, and look once more.",
  throttled: "It reads less than there is. Write to its operator.",
  banned: "It reads nothing of this server. Write to its operator."
}

const askAgain = "Write a post: with a new event it is asked again, once in 20 minutes."

const isLate = ({ waiting }: Place, now: number): boolean =>
  waiting !== undefined && now - waiting > patience

const behindInWords = ({ behind, waiting }: Place): string =>
  `${behind} ${behind === 1 ? "event" : "events"} behind, since ${moment(waiting)}`

/** Why a relay that was asked has not come. */
const notCome = ({ call }: Facts): Pick<Check, "detail" | "fix"> => {
  if (call === undefined) {
    return {
      detail: "",
      fix: "It is asked to read with the next event. Write a post and look again."
    }
  }
  if (call.at === undefined) return { detail: "; it was never asked to", fix: askAgain }
  const asked = `; asked at ${moment(call.at)}`
  if (call.ok) {
    return {
      detail: `${asked}, and it said yes`,
      fix: "Can the server be reached from outside, by wss too? Look at its address in a browser from elsewhere."
    }
  }
  const answer = [call.status, call.message].filter((part) => part !== undefined).join(" ")
  return { detail: `${asked}, it refused: ${answer}`, fix: askAgain }
}

const fault = (name: string, detail: string, fix?: string): Check => ({
  name,
  ok: false,
  detail,
  ...(fix === undefined ? {} : { fix })
})

/** By what the relay itself says. */
const byClaim = (facts: Facts, claim: Extract<Claim, { kind: "known" }>, now: number): Check => {
  const { relay: name, place, rev } = facts
  const read = `${claim.status ?? "known"}, read up to ${claim.seq ?? "an unknown number"}`
  const why = claim.status === undefined ? undefined : closed[claim.status]
  if (why !== undefined) return fault(name, read, why)
  if (place !== undefined && isLate(place, now)) {
    return fault(name, `${read}: ${behindInWords(place)}`, askAgain)
  }
  const isOnItsWay = place !== undefined && place.behind > 0
  if (rev !== undefined && claim.rev !== rev && !isOnItsWay) {
    return fault(
      name,
      `${read}; of the account it has rev ${claim.rev ?? "none"}`,
      "It may be a moment late. If it stays so: write a post, which calls the relay again."
    )
  }
  return { name, ok: true, detail: read }
}

/** By who has come to read, where the relay itself says nothing. */
const byReader = (facts: Facts, why: string, now: number): Check => {
  const { relay: name, reader } = facts
  const silent = `does not say what it has read: ${why}`
  if (reader === undefined) {
    const { detail, fix } = notCome(facts)
    const nobody = facts.call === undefined ? "" : "; nobody who calls itself a relay has come"
    return fault(name, `${silent}${nobody}${detail}`, fix)
  }
  if (isLate(reader, now)) return fault(name, `${silent}; ${behindInWords(reader)}`, askAgain)
  return reader.connected
    ? { name, ok: true, detail: "reads" }
    : fault(name, `${silent}; it was last seen at ${moment(reader.seen)}`, askAgain)
}

/** Whether a relay reads this server as it should, and what to do where it does not. */
export const judge = (facts: Facts, now: number): Check => {
  const { relay: name, claim } = facts
  if (claim.kind === "known") return byClaim(facts, claim, now)
  if (claim.kind === "silent") return byReader(facts, claim.why, now)
  const { detail, fix } = notCome(facts)
  return fault(name, `does not know this server: ${claim.why}${detail}`, fix)
}

/**
 * The reader that is this relay, as far as can be told: one that names it, or where it is the only relay, one that calls
 * itself a relay.
 */
export const readerOf = (
  relay: string,
  relays: ReadonlyArray<RelayCall>,
  readers: ReadonlyArray<Reader>
): Reader | undefined => {
  const { hostname } = new URL(relay)
  const says = (word: string) => readers.find(({ userAgent }) => userAgent?.includes(word) === true)
  return says(hostname) ?? (relays.length === 1 ? says("(atproto-relay)") : undefined)
}
