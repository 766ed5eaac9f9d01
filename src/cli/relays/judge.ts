import type { Check } from "../identity/checks.ts"
import { moment } from "../output.ts"
import type { Place, Reader, RelayCall } from "./audience.ts"
import type { Claim } from "./claim.ts"

/** All known facts about a relay. */
export interface Facts {
  readonly relay: string
  readonly claim: Claim
  /** The server's own data, for the administrator. */
  readonly call?: RelayCall | undefined
  readonly reader?: Reader | undefined
  /** How far behind the relay's claimed number is. */
  readonly place?: Place | undefined
  /** The newest rev of the watched account. */
  readonly rev?: string | undefined
}

/** How long an event may stay unread before the check fails, in milliseconds. */
const patience = 10 * 60_000

/** Statuses in which a relay doesn't read. */
const closed: Readonly<Record<string, string>> = {
  offline:
    "It isn't connected. Write a post, which makes the server call the relay again, and check again.",
  throttled: "It reads only part of this server's events. Contact its operator.",
  banned: "It has blocked this server. Contact its operator."
}

const askAgain = "Write a post: the server then calls the relay again, at most every 20 minutes."

const isLate = ({ waiting }: Place, now: number): boolean =>
  waiting !== undefined && now - waiting > patience

const behindInWords = ({ behind, waiting }: Place): string =>
  `${behind} ${behind === 1 ? "event" : "events"} behind, since ${moment(waiting)}`

/** Why a relay that was called hasn't connected. */
const notCome = ({ call }: Facts): Pick<Check, "detail" | "fix"> => {
  if (call === undefined) {
    return {
      detail: "",
      fix: "The server calls the relay with its next event. Write a post and check again."
    }
  }
  if (call.at === undefined) return { detail: "; the server hasn't called it yet", fix: askAgain }
  const asked = `; called at ${moment(call.at)}`
  if (call.ok) {
    return {
      detail: `${asked} and accepted`,
      fix: "Check that the server can be reached from the internet, including by wss."
    }
  }
  const answer = [call.status, call.message].filter((part) => part !== undefined).join(" ")
  return { detail: `${asked} and rejected: ${answer}`, fix: askAgain }
}

const fault = (name: string, detail: string, fix?: string): Check => ({
  name,
  ok: false,
  detail,
  ...(fix === undefined ? {} : { fix })
})

/** Judges by the relay's own claim. */
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
      `${read}; it has rev ${claim.rev ?? "none"} of the account`,
      "It may be a moment behind. If it stays that way, write a post, which makes the server call the relay again."
    )
  }
  return { name, ok: true, detail: read }
}

/** Judges by the server's subscribers, if the relay claims nothing. */
const byReader = (facts: Facts, why: string, now: number): Check => {
  const { relay: name, reader } = facts
  const silent = `doesn't report what it has read: ${why}`
  if (reader === undefined) {
    const { detail, fix } = notCome(facts)
    const nobody = facts.call === undefined ? "" : "; no reader identifies itself as a relay"
    return fault(name, `${silent}${nobody}${detail}`, fix)
  }
  if (isLate(reader, now)) return fault(name, `${silent}; ${behindInWords(reader)}`, askAgain)
  return reader.connected
    ? { name, ok: true, detail: "reads" }
    : fault(name, `${silent}; last seen at ${moment(reader.seen)}`, askAgain)
}

/** Whether a relay keeps up with this server, and the fix if it doesn't. */
export const judge = (facts: Facts, now: number): Check => {
  const { relay: name, claim } = facts
  if (claim.kind === "known") return byClaim(facts, claim, now)
  if (claim.kind === "silent") return byReader(facts, claim.why, now)
  const { detail, fix } = notCome(facts)
  return fault(name, `doesn't know this server: ${claim.why}${detail}`, fix)
}
