import { withSeq } from "../../core/repo/frame.ts"
import type { OutboxEvent, Place } from "../../services/stream/Sequencer.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import { makeTables } from "../host/sql/objectTables.ts"
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
import { asSync } from "./syncEvent.ts"
import { tables } from "./tables.ts"

/** How long events are kept unless it is set, in milliseconds: as long as relays keep theirs. */
const usualRetention = 72 * 3600 * 1000

/** Frames write their sequence number in 8 bytes; this is the smallest that needs them. */
const smallestSeq = 2 ** 32

/** Limits of the log's database, in bytes. */
export interface LogBounds {
  /** Above this, the oldest events are removed at any age. */
  readonly most: number
  /** Above this, the log stores a commit with a large frame as `#sync`. */
  readonly near: number
  /** Frames above this size are large. */
  readonly large: number
  /** What one step of pruning removes: at most this many events, and about this many bytes. */
  readonly step: { readonly events: number; readonly bytes: number }
}

/** A Durable Object stores 10 GB; the rest is left for the tables of repos. */
const logBounds: LogBounds = {
  most: 6_000_000_000,
  near: 4_500_000_000,
  large: 32_768,
  step: { events: 1000, bytes: 16_000_000 }
}

/** SQLite has no room left, on disk or because of the database's limit. */
const isFull = (cause: unknown): boolean => String(cause).includes("database or disk is full")

/**
 * The numbered events of the host, in one SQLite database.
 *
 * A sequence number is the time in microseconds, or the last one plus one if that is greater. So it
 * never decreases, even on empty or restored storage, and shows an event's age.
 */
export class EventLog {
  private readonly sql: SqlStorage["Service"]
  private readonly now: () => number
  private last: number
  private nth: number
  private pruned: number
  private readonly bounds: LogBounds
  private readonly keptFor: number

  constructor(
    sql: SqlStorage["Service"],
    now: () => number,
    bounds = logBounds,
    keptFor = usualRetention
  ) {
    this.keptFor = keptFor
    this.sql = sql
    this.now = now
    this.bounds = bounds
    makeTables(sql, tables)
    this.pruned = Number(this.note("pruned") ?? "0")
    const newest = this.edge("DESC")
    this.last = Math.max(this.pruned, newest?.seq ?? 0)
    this.nth = newest?.nth ?? 0
  }

  /** The newest event's sequence number; 0 before the first event. */
  get newest(): number {
    return this.last
  }

  /** The highest sequence number that was pruned, for age or space. */
  get prunedTo(): number {
    return this.pruned
  }

  /** The oldest kept event's sequence number. */
  oldest(): number | undefined {
    return this.edge("ASC")?.seq
  }

  /** How many events were added since the oldest kept one; reads one row, however long the log. */
  count(): number {
    const oldest = this.edge("ASC")
    return oldest === undefined ? 0 : this.nth - oldest.nth + 1
  }

  /**
   * Adds events of one account in one transaction; skips ids that it already has.
   *
   * Returns the highest id it has and the events to broadcast. Makes room by removing its oldest
   * events. If the storage itself is full, only an account that holds most of the log has to wait.
   */
  append(
    did: string,
    events: ReadonlyArray<OutboxEvent>
  ): { readonly taken: number; readonly frames: ReadonlyArray<Numbered> } {
    for (let isNear = this.keepBound() > this.bounds.near; ; isNear = true) {
      try {
        return this.take(did, events, isNear)
      } catch (cause) {
        if (!isFull(cause) || holdsMost(this.sql, did) || !this.removeOldest().removed) throw cause
      }
    }
  }

  /** Removes the oldest events above the bound; returns the size, in bytes. */
  private keepBound(): number {
    let size = this.sql.size()
    try {
      while (size > this.bounds.most && this.removeOldest().removed) size = this.sql.size()
    } catch {
      // Damaged old events don't block new ones; the alarm's pruning reports them.
    }
    return size
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

  /** The form in which the log stores a frame when space is scarce. */
  private shortened({ seq, frame }: Numbered): Numbered {
    const isLarge = frame.byteLength > this.bounds.large
    return { seq, frame: (isLarge ? asSync(frame) : undefined) ?? frame }
  }

  /** The frames after a sequence number, up to `bytes` (but at least one) and `rows`. */
  after(
    cursor: number,
    limit: { readonly frames: number; readonly bytes: number }
  ): ReadonlyArray<Numbered> {
    return framesAfter(this.sql, cursor, limit)
  }

  /** Removes some of the expired events; true if more are left. */
  prune(): boolean {
    const before = (this.now() - this.keptFor) * 1000
    forgetDeleted(this.sql, before)
    return this.removeOldest(before).more
  }

  /** Removes one step of the oldest events, or of those before a sequence number. */
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

  /** How many events come after a sequence number, and the time of the first; reads one row. */
  place(seq: number): Place {
    const query = "SELECT seq, nth FROM event WHERE seq > ? ORDER BY seq LIMIT 1"
    const [first] = seq < this.last ? this.sql.exec(query, seq).raw() : []
    if (first === undefined) return { behind: 0 }
    return { behind: this.nth - Number(first[1]) + 1, waiting: Math.floor(Number(first[0]) / 1000) }
  }

  /** When the oldest event expires, in milliseconds. */
  nextPrune(): number | undefined {
    const oldest = this.oldest()
    return oldest === undefined ? undefined : Math.ceil(oldest / 1000) + this.keptFor + 1
  }

  /** A small value stored with the log. */
  note(name: string): string | undefined {
    const [row] = this.sql.exec("SELECT value FROM note WHERE name = ?", name).raw()
    return row === undefined ? undefined : String(row[0])
  }

  /** Stores a small value with the log; writes one row. */
  setNote(name: string, value: string): void {
    this.sql.exec(
      "INSERT INTO note (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      name,
      value
    )
  }

  /** Removes a small value. */
  dropNote(name: string): void {
    this.sql.exec("DELETE FROM note WHERE name = ?", name)
  }

  private edge(order: "ASC" | "DESC"): { seq: number; nth: number } | undefined {
    const query = `SELECT seq, nth FROM event ORDER BY seq ${order} LIMIT 1`
    const [row] = this.sql.exec(query).raw()
    return row === undefined ? undefined : { seq: Number(row[0]), nth: Number(row[1]) }
  }
}
