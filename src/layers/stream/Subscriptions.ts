import { networkOf } from "../../core/identity/ipAddress.ts"
import type { Reader } from "../../services/stream/Sequencer.ts"
import type { EventLog } from "./EventLog.ts"

/** A connection's details from its request; personal ones are coarse. */
export interface Greeting {
  /** Random; shows after a restart whether a remembered connection is still open. */
  readonly id: string
  /** Connection time, in milliseconds. */
  readonly since: number
  readonly cursor?: number
  readonly userAgent?: string
  /** The client's network, rather than its address. */
  readonly network?: string
}

/** A connection with the last sequence number it was sent, or "live" when it has everything. */
export interface Connection extends Greeting {
  readonly position: number | "live"
}

/** A connection as it is stored. */
interface Visit extends Greeting {
  /** The last sequence number it was sent. */
  readonly seq: number
  /** When it was last known to be open, in milliseconds. */
  readonly seen: number
}

type Standing = () => Iterable<Connection>

/** Limits on what is stored, and on how often it is written. */
const bounds = {
  gone: 20,
  standing: 100,
  /** A month, in milliseconds. */
  kept: 30 * 24 * 3600 * 1000,
  /** Connects and disconnects that are written at once; one more each half minute. */
  burst: 30,
  pause: 30_000,
  /** A continuing reader is noted again after an hour. */
  again: 3600 * 1000
}

const noteName = "readers"

/**
 * The recent readers of the stream, in one row of the log that is written when a reader connects or
 * disconnects and once an hour while somebody reads, never for an event.
 *
 * If the object ended without notice, its connections count as gone when they were last noted.
 */
export class Subscriptions {
  private readonly log: EventLog
  private readonly now: () => number
  private gone: ReadonlyArray<Visit>
  private saved: number
  private allowance = bounds.burst
  private allowedAt = 0

  constructor(log: EventLog, now: () => number, stands: (id: string) => boolean) {
    this.log = log
    this.now = now
    const stored = log.note(noteName)
    // SAFETY: only `save` writes there.
    const visits = stored === undefined ? [] : (JSON.parse(stored) as ReadonlyArray<Visit>)
    // An object wakes often: open connections were noted before it slept.
    this.saved = Math.max(0, ...visits.map(({ seen }) => seen))
    this.gone = visits.filter(({ id }) => !stands(id))
  }

  /** Adds a new connection to the open ones. */
  came(standing: Standing): void {
    this.saveWithin(standing)
  }

  /** Notes that a connection ended; keeps only the last visit of a reader who reconnects. */
  went(connection: Connection, standing: Standing): void {
    const visit = this.visitOf(connection)
    const others = this.gone.filter((one) => !isSame(one, visit))
    this.gone = this.recent([visit, ...others])
    this.saveWithin(standing)
  }

  /** Notes once an hour who reads, and drops expired visits; call as often as you like. */
  hourly(standing: Standing): void {
    if (this.now() - this.saved < bounds.again) return
    this.saved = this.now()
    const before = this.gone.length
    this.gone = this.recent(this.gone)
    const [someone] = standing()
    if (someone !== undefined || this.gone.length < before) this.save(standing)
  }

  /** Current and past readers, newest first. */
  all(standing: Iterable<Connection>): ReadonlyArray<Reader> {
    const now = [...standing].map((connection) => this.visitOf(connection))
    const before = this.recent(this.gone).filter((visit) => !now.some((one) => isSame(one, visit)))
    return [
      ...now.map((visit) => this.reader(visit, true)),
      ...before.map((visit) => this.reader(visit, false))
    ]
  }

  private reader(visit: Visit, connected: boolean): Reader {
    return { ...visit, ...this.log.place(visit.seq), connected }
  }

  private visitOf({ position, ...greeting }: Connection): Visit {
    const seq = position === "live" ? this.log.newest : position
    return { ...greeting, seq, seen: this.now() }
  }

  private recent(visits: ReadonlyArray<Visit>): ReadonlyArray<Visit> {
    const oldest = this.now() - bounds.kept
    return visits.filter(({ seen }) => seen >= oldest).slice(0, bounds.gone)
  }

  /** Limits how often a client that keeps reconnecting causes a write. */
  private saveWithin(standing: Standing): void {
    const now = this.now()
    const refilled = Math.floor((now - this.allowedAt) / bounds.pause)
    if (refilled > 0) {
      this.allowance = Math.min(bounds.burst, this.allowance + refilled)
      this.allowedAt = now
    }
    if (this.allowance === 0) return
    this.allowance -= 1
    this.save(standing)
  }

  private save(standing: Standing): void {
    this.saved = this.now()
    const now = [...standing()].slice(0, bounds.standing).map((one) => this.visitOf(one))
    const visits = [...now, ...this.recent(this.gone)]
    if (visits.length === 0 && this.log.note(noteName) === undefined) return
    try {
      this.log.setNote(noteName, JSON.stringify(visits))
    } catch {
      // On a full disk, readers come and go all the same; the next one, or the next hour, is noted.
    }
  }
}

/** Whether two visits seem to be the same program from the same network. */
const isSame = (one: Greeting, other: Greeting): boolean =>
  one.userAgent === other.userAgent && one.network === other.network

/** The requester's details from the headers, in text that is safe for any terminal. */
export const greetingOf = (headers: Headers): Pick<Greeting, "userAgent" | "network"> => {
  const userAgent = headers
    .get("user-agent")
    ?.replace(/[^\x20-\x7e]/g, "?")
    .slice(0, 200)
  const network = networkOf(headers.get("cf-connecting-ip") ?? "")
  return {
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(network === undefined ? {} : { network })
  }
}
