import { networkOf } from "../../core/identity/ipAddress.ts"
import type { Reader } from "../../services/stream/Sequencer.ts"
import type { EventLog } from "./EventLog.ts"

/** What a connection told when it came; what of it is personal stays coarse. */
export interface Greeting {
  /** Random: tells after a restart whether a connection that is remembered still stands. */
  readonly id: string
  /** When it came, in milliseconds. */
  readonly since: number
  readonly cursor?: number
  readonly userAgent?: string
  /** The network that it came from, not its address. */
  readonly network?: string
}

/** A connection as it stands: the number it was sent last, or "live" when it has everything. */
export interface Connection extends Greeting {
  readonly position: number | "live"
}

/** A connection as it is remembered. */
interface Visit extends Greeting {
  /** Up to which number it was sent the log. */
  readonly seq: number
  /** When it was known to stand, in milliseconds. */
  readonly seen: number
}

type Standing = () => Iterable<Connection>

/** Bounds of what is remembered, and of how often that is written. */
const bounds = {
  gone: 20,
  standing: 100,
  /** A month, in milliseconds. */
  kept: 30 * 24 * 3600 * 1000,
  /** Comings and goings that are written at once; one more each half minute. */
  burst: 30,
  pause: 30_000,
  /** Who stays is noted again after an hour. */
  again: 3600 * 1000
}

const noteName = "readers"

/**
 * Who has read the stream lately: kept with the log in one row, which is written when somebody comes or goes and once
 * an hour while somebody reads, and never for an event.
 *
 * Where the object ended without a word to its connections, they count as gone when they were last noted.
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
    // An object wakes again and again: who stands was noted when it slept.
    this.saved = Math.max(0, ...visits.map(({ seen }) => seen))
    this.gone = visits.filter(({ id }) => !stands(id))
  }

  /** A connection has come: it is among those that stand. */
  came(standing: Standing): void {
    this.saveWithin(standing)
  }

  /** A connection has gone: of those who come again and again the last visit is kept. */
  went(connection: Connection, standing: Standing): void {
    const visit = this.visitOf(connection)
    const others = this.gone.filter((one) => !isSame(one, visit))
    this.gone = this.recent([visit, ...others])
    this.saveWithin(standing)
  }

  /** Notes once an hour who reads, and forgets who is to be forgotten: to be called as often as one likes. */
  hourly(standing: Standing): void {
    if (this.now() - this.saved < bounds.again) return
    this.saved = this.now()
    const before = this.gone.length
    this.gone = this.recent(this.gone)
    const [someone] = standing()
    if (someone !== undefined || this.gone.length < before) this.save(standing)
  }

  /** Who reads now, and who has read, the last first. */
  all(standing: Iterable<Connection>): ReadonlyArray<Reader> {
    const now = [...standing].map((connection) => this.visitOf(connection))
    const before = this.recent(this.gone).filter((visit) => !now.some((one) => isSame(one, visit)))
    return [
      ...now.map((visit) => this.told(visit, true)),
      ...before.map((visit) => this.told(visit, false))
    ]
  }

  private told(visit: Visit, connected: boolean): Reader {
    const { id: _id, ...told } = visit
    return { ...told, ...this.log.place(visit.seq), connected }
  }

  private visitOf({ position, ...greeting }: Connection): Visit {
    const seq = position === "live" ? this.log.newest : position
    return { ...greeting, seq, seen: this.now() }
  }

  private recent(visits: ReadonlyArray<Visit>): ReadonlyArray<Visit> {
    const oldest = this.now() - bounds.kept
    return visits.filter(({ seen }) => seen >= oldest).slice(0, bounds.gone)
  }

  /** Whoever comes and goes all the time does not have rows written all the time. */
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
    this.log.setNote(noteName, JSON.stringify(visits))
  }
}

/** Whether two visits are the same program of the same network, as far as can be told. */
const isSame = (one: Greeting, other: Greeting): boolean =>
  one.userAgent === other.userAgent && one.network === other.network

/** Who asks for the stream, of the headers of the request: text that any terminal may show. */
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
