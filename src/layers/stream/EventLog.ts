import { withSeq } from "../../core/repo/frame.ts"
import type { OutboxEvent, Place } from "../../services/stream/Sequencer.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import { makeTables } from "../host/sql/objectTables.ts"
import { asSync } from "./asSync.ts"
import {
  deleteFramesOf,
  deleteFramesTo,
  framesAfter,
  holdsMost,
  insertFrame,
  type Numbered,
  oldestFrames
} from "./frames.ts"
import { afterEvent, forgetDeleted, readRepo, writeCollections, writeRepo } from "./repos.ts"
import { tables } from "./tables.ts"

/** How long events are kept, in milliseconds: as long as relays keep theirs. */
export const keptFor = 72 * 3600 * 1000

/** Frames write their number in 8 bytes; this is the smallest that needs them. */
const smallestSeq = 2 ** 32

/** Bounds of the log's database, in bytes. */
export interface LogBounds {
  /** Past this the oldest events go, whatever their age. */
  readonly most: number
  /** Past this the log keeps a commit whose frame is large as `#sync`. */
  readonly near: number
  /** Frames above this are large. */
  readonly large: number
  /** What one step of pruning removes at most: so many events, and about so many bytes. */
  readonly step: { readonly events: number; readonly bytes: number }
}

/** A Durable Object stores 10 GB; the rest is left to the tables of repos. */
const logBounds: LogBounds = {
  most: 6_000_000_000,
  near: 4_500_000_000,
  large: 32_768,
  step: { events: 1000, bytes: 16_000_000 }
}

/** SQLite has no room left, on disk or under a limit of the database. */
const isFull = (cause: unknown): boolean => String(cause).includes("database or disk is full")

/**
 * The numbered events of the host, over one SQLite database.
 *
 * A number is the time in microseconds, or one more than the last where that is greater. So it never
 * goes back, not even on empty storage or storage restored to an earlier day, and tells an event's age.
 */
export class EventLog {
  private readonly sql: SqlStorage["Service"]
  private readonly now: () => number
  private last: number
  private nth: number
  private pruned: number
  private readonly bounds: LogBounds

  constructor(sql: SqlStorage["Service"], now: () => number, bounds = logBounds) {
    this.sql = sql
    this.now = now
    this.bounds = bounds
    makeTables(sql, tables)
    this.pruned = Number(this.note("pruned") ?? "0")
    const newest = this.edge("DESC")
    this.last = Math.max(this.pruned, newest?.seq ?? 0)
    this.nth = newest?.nth ?? 0
  }

  /** The number of the newest event; 0 when there never was one. */
  get newest(): number {
    return this.last
  }

  /** The highest number that was pruned, for its age or for the room. */
  get prunedTo(): number {
    return this.pruned
  }

  /** The number of the oldest event that is kept. */
  oldest(): number | undefined {
    return this.edge("ASC")?.seq
  }

  /** How many events were taken since the oldest that is kept: reads one row, however long the log. */
  count(): number {
    const oldest = this.edge("ASC")
    return oldest === undefined ? 0 : this.nth - oldest.nth + 1
  }

  /**
   * Takes events of one account in one transaction; ids already taken are passed over.
   *
   * Answers the highest id taken and what is to be broadcast. The log makes room by dropping its oldest events.
   * Where the storage itself is full, an account that holds most of the log has to wait; no other does.
   */
  append(
    did: string,
    events: ReadonlyArray<OutboxEvent>
  ): { readonly taken: number; readonly frames: ReadonlyArray<Numbered> } {
    const { near } = this.bounds
    this.keepBound()
    for (let isNear = this.sql.size() > near; ; isNear = true) {
      try {
        return this.take(did, events, isNear)
      } catch (cause) {
        if (!isFull(cause) || holdsMost(this.sql, did) || !this.removeOldest().removed) throw cause
      }
    }
  }

  private keepBound(): void {
    try {
      while (this.sql.size() > this.bounds.most && this.removeOldest().removed);
    } catch {
      // Damage among the oldest events: no post is refused for it, and pruning by the alarm reports it.
    }
  }

  private take(did: string, events: ReadonlyArray<OutboxEvent>, isNear: boolean) {
    const { sql } = this
    let { last: seq, nth } = this
    let frames: Array<Numbered> = []
    const taken = sql.transaction(() => {
      const before = readRepo(sql, did)
      let row = before
      for (const event of events) {
        if (event.id <= row.lastId) continue
        seq = Math.max(seq + 1, this.now() * 1000, smallestSeq)
        const numbered = { seq, frame: withSeq(event.frame, event.seqOffset, seq) }
        if (event.account?.status === "deleted") {
          // A subscriber that replays must see only the deletion.
          deleteFramesOf(sql, did, seq)
          frames = []
        }
        nth += 1
        insertFrame(sql, did, nth, isNear ? this.shortened(numbered) : numbered)
        writeCollections(sql, did, event)
        row = afterEvent(row, event)
        frames.push(numbered)
      }
      if (row !== before) writeRepo(sql, did, row)
      return row.lastId
    })
    this.last = seq
    this.nth = nth
    return { taken, frames }
  }

  /** What the log keeps of a frame where room is scarce. */
  private shortened({ seq, frame }: Numbered): Numbered {
    const isLarge = frame.byteLength > this.bounds.large
    return { seq, frame: (isLarge ? asSync(frame) : undefined) ?? frame }
  }

  /** The frames after a number, up to so many bytes (but at least one) and rows. */
  after(
    cursor: number,
    limit: { readonly frames: number; readonly bytes: number }
  ): ReadonlyArray<Numbered> {
    return framesAfter(this.sql, cursor, limit)
  }

  /** Removes some of the events that are too old; true when more of them are left. */
  prune(): boolean {
    const before = (this.now() - keptFor) * 1000
    forgetDeleted(this.sql, before)
    return this.removeOldest(before).more
  }

  /** Removes a step of the oldest events, or of those before a number. */
  private removeOldest(before = Number.MAX_SAFE_INTEGER) {
    const { last, more } = oldestFrames(this.sql, before, this.bounds.step)
    if (last === undefined) return { removed: false, more }
    this.sql.transaction(() => {
      deleteFramesTo(this.sql, last)
      this.setNote("pruned", String(last))
    })
    this.pruned = last
    return { removed: true, more }
  }

  /** How many events come after a number, and the time of the first of them: one row is read. */
  place(seq: number): Place {
    const query = "SELECT seq, nth FROM event WHERE seq > ? ORDER BY seq LIMIT 1"
    const [first] = seq < this.last ? this.sql.exec(query, seq).raw() : []
    if (first === undefined) return { behind: 0 }
    return { behind: this.nth - Number(first[1]) + 1, waiting: Math.floor(Number(first[0]) / 1000) }
  }

  /** When the oldest event is to go, in milliseconds. */
  nextPrune(): number | undefined {
    const oldest = this.oldest()
    return oldest === undefined ? undefined : Math.ceil(oldest / 1000) + keptFor + 1
  }

  /** A small fact kept with the log. */
  note(name: string): string | undefined {
    const [row] = this.sql.exec("SELECT value FROM note WHERE name = ?", name).raw()
    return row === undefined ? undefined : String(row[0])
  }

  /** Keeps a small fact with the log: one row written. */
  setNote(name: string, value: string): void {
    this.sql.exec(
      "INSERT INTO note (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      name,
      value
    )
  }

  private edge(order: "ASC" | "DESC"): { seq: number; nth: number } | undefined {
    const query = `SELECT seq, nth FROM event ORDER BY seq ${order} LIMIT 1`
    const [row] = this.sql.exec(query).raw()
    return row === undefined ? undefined : { seq: Number(row[0]), nth: Number(row[1]) }
  }
}
