import { utcMinute } from "../host/utcMinute.ts"
/** A relay's claim about this server: known, unknown, or nothing useful. */
export type HostClaim =
  | {
      readonly kind: "known"
      /** `active`, `idle`, `offline`, `throttled` or `banned`; undefined if the relay doesn't say. */
      readonly status?: string
      /** How far it has read. */
      readonly seq?: number
      /** How many accounts of this server it has. */
      readonly accounts?: number
    }
  | { readonly kind: "unknown" | "silent"; readonly why: string }

/** What the watch last learned of a relay; times in milliseconds. */
export interface RelayReport {
  readonly relay: string
  readonly at: number
  readonly claim: HostClaim
  /** How many events it hasn't read, and since when; undefined if nobody knows. */
  readonly behind?: number
  readonly waiting?: number
  /** Accounts that it throttles, at most 20. */
  readonly throttled: ReadonlyArray<string>
  /** How often the watch has asked it again since it stopped, and when last. */
  readonly askedAgain: number
  readonly askedAgainAt?: number
}

/** What the watch last learned of all relays and readers. */
export interface RelaysReport {
  readonly at: number
  /** Events of the last hour and day. */
  readonly events: { readonly hour: number; readonly day: number }
  readonly relays: ReadonlyArray<RelayReport>
  /** By a reader's id: how far it was, and the events a second that it was sent since the look before. */
  readonly readers: Readonly<Record<string, { readonly seq: number; readonly rate?: number }>>
  /** Where the next look continues to ask for accounts. */
  readonly cursor?: string
}

/** What relays take from a host that they don't know yet. Source: Bluesky's relay, its defaults for a new host. */
export const youngHost = { hour: 1500, day: 10_000, accounts: 100 }

/** The part of a limit from which there is a warning. */
const warnFrom = 0.7

/** How long an event may be unread before a relay counts as stopped, in milliseconds. */
const patience = 15 * 60_000

/** The part of a reader that may name a relay. */
interface Recognizable {
  readonly userAgent?: string
}

/**
 * The reader that is a relay: one with its name, or the only one that calls itself a relay if it is
 * the only relay.
 */
export const readerOf = <R extends Recognizable>(
  relay: string,
  relays: ReadonlyArray<unknown>,
  readers: ReadonlyArray<R>
): R | undefined => {
  const { hostname } = new URL(relay)
  const says = (word: string) => readers.find(({ userAgent }) => userAgent?.includes(word) === true)
  return says(hostname) ?? (relays.length === 1 ? says("(atproto-relay)") : undefined)
}

interface Place {
  readonly behind: number
  readonly waiting?: number | undefined
}

/** What is known of a relay's reading. */
export interface Reading {
  readonly claim: HostClaim
  /** Where the relay says it is. */
  readonly place?: Place | undefined
  /** Its own connection. */
  readonly reader?: (Place & { readonly connected: boolean }) | undefined
  /** Whether any connected reader is at the newest event: it may be the relay under another name. */
  readonly isAnybodyCurrent: boolean
  /** When the newest event was added, in milliseconds; undefined before the first event. */
  readonly newest: number | undefined
}

const since = (millis: number | undefined) =>
  millis === undefined ? "" : ` since ${utcMinute(millis)}`

/** Why a relay counts as stopped; undefined if it reads, or nobody can tell. */
export const stoppedBy = (
  { claim, place, reader, isAnybodyCurrent, newest }: Reading,
  now: number
): string | undefined => {
  // Without events there is nothing to read.
  if (newest === undefined) return undefined
  if (claim.kind === "known" && claim.status === "offline")
    return "It says that this server is offline"
  if (claim.kind === "unknown") return `It doesn't know this server: ${claim.why}`
  const at = place ?? reader
  if (at?.waiting !== undefined && now - at.waiting > patience) {
    return `It is ${at.behind} events behind${since(at.waiting)}`
  }
  if (at !== undefined || isAnybodyCurrent || now - newest < patience) return undefined
  return "It isn't connected, and doesn't say how far it has read"
}

/** Why a relay takes only part of the events; undefined if it doesn't say so. */
export const throttledBy = (
  claim: HostClaim,
  accounts: ReadonlyArray<string>
): string | undefined => {
  if (claim.kind === "known" && (claim.status === "throttled" || claim.status === "banned")) {
    return `It says that this server is ${claim.status}`
  }
  const [first] = accounts
  if (first === undefined) return undefined
  const others = accounts.length - 1
  return `It throttles ${first}${others === 0 ? "" : ` and ${others}${others >= 19 ? " or more" : ""} others`}`
}

/** The limits of a young host that are near; none if the relay has taken more accounts than that. */
export const nearLimits = (
  claim: HostClaim,
  {
    hour,
    day,
    accounts
  }: { readonly hour: number; readonly day: number; readonly accounts: number }
): string | undefined => {
  if (claim.kind === "known" && (claim.accounts ?? 0) > youngHost.accounts) return undefined
  const near = (
    [
      ["events in the last hour", hour, youngHost.hour],
      ["events in the last day", day, youngHost.day],
      ["accounts", accounts, youngHost.accounts]
    ] as const
  ).filter(([, count, limit]) => count >= limit * warnFrom)
  return near.length === 0
    ? undefined
    : near.map(([what, count, limit]) => `${count} ${what}, of ${limit}`).join("; ")
}

const hour = 3_600_000

/** Whether a stopped relay should be asked again: at once, after an hour, two, four, up to a day. */
export const isAskedAgain = (
  { askedAgain, askedAgainAt }: Pick<RelayReport, "askedAgain" | "askedAgainAt">,
  now: number
): boolean =>
  askedAgainAt === undefined ||
  now - askedAgainAt >= Math.min(24 * hour, hour * 2 ** Math.max(0, askedAgain - 1))
