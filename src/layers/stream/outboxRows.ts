import { readLastEvent } from "../repo/RepoHeadSqlite.ts"
import type { OutboxEvent } from "../../services/stream/Sequencer.ts"
import { bytesOf, type SqlStorage } from "../../services/host/SqlStorage.ts"
import { firstPart, laterParts, wholeFrame } from "./frames.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** Events that wait for the log; frames larger than a row continue in parts. */
export const tables = [
  "CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, meta TEXT NOT NULL, frame BLOB NOT NULL)",
  `CREATE TABLE IF NOT EXISTS outbox_part (
    id INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (id, part)
  ) WITHOUT ROWID`
]

/** The most events of one hand-over, and about how many bytes. */
const batch = { events: 200, bytes: 4_000_000 }

type Meta = Omit<OutboxEvent, "id" | "frame">

const laterPartsOf = "SELECT bytes FROM outbox_part WHERE id = ? ORDER BY part"

/** The rows of an outbox, and how many of them the log has. */
export class OutboxRows {
  private readonly sql: SqlStorage["Service"]
  private readonly now: () => number
  private parts: boolean | undefined
  private givenId: number | undefined
  private lastId: number | undefined
  private taken = 0
  /** The row of what the log has, if it is only one event. */
  private takenRow: number | undefined
  private removedId = 0
  private removing = 0

  constructor(sql: SqlStorage["Service"], now: () => number) {
    this.sql = sql
    this.now = now
  }

  /** The last id that the log has. */
  get takenId(): number {
    return this.taken
  }

  /** Whether events may be waiting; reads the table only after this object has started. */
  mayWait(): boolean {
    return (this.lastId ??= this.highest()) > this.taken
  }

  /** Stores an event and returns its id; call inside a transaction. */
  push({ frame, ...meta }: Omit<OutboxEvent, "id">): number {
    // Above every earlier id, even if the outbox is empty or the clock went back, because the log
    // skips other ids. Ids follow the clock so they also exceed those of a deleted and recreated
    // object.
    const last = (this.givenId ??= readLastEvent(this.sql))
    const id = Math.max(last + 1, this.now() * 1000)
    this.givenId = id
    this.lastId = id
    const row = [id, JSON.stringify(meta), firstPart(frame)] as const
    if (!this.replace(...row)) this.insert(...row)
    let part = 0
    for (const bytes of laterParts(frame)) {
      this.parts = true
      const insert = "INSERT INTO outbox_part (id, part, bytes) VALUES (?, ?, ?)"
      this.sql.exec(insert, id, ++part, bytes)
    }
    return id
  }

  /** The events of the next call of the log, in order. */
  next(): Array<OutboxEvent> {
    const events: Array<OutboxEvent> = []
    let bytes = 0
    const query = "SELECT id, meta, frame FROM outbox WHERE id > ? ORDER BY id LIMIT ?"
    for (const [id, meta, first] of this.sql.exec(query, this.taken, batch.events).raw()) {
      const frame = wholeFrame(this.sql, bytesOf(first), laterPartsOf, Number(id))
      bytes += frame.byteLength
      if (events.length > 0 && bytes > batch.bytes) break
      events.push({ id: Number(id), frame, ...(JSON.parse(String(meta)) as Meta) })
    }
    return events
  }

  /** Notes that the log has some events; `highest` is what it answered. */
  take(events: ReadonlyArray<OutboxEvent>, highest: number): void {
    const last = events.at(-1)?.id ?? 0
    const isLone = events.length === 1 && this.isClear
    // Ids that the log already had also count as taken: it returns the highest.
    this.taken = Math.max(last, highest)
    this.takenRow = isLone && this.taken === last ? last : undefined
  }

  /**
   * Removes what the log has taken; it counts as removed only after the transaction (`settle`).
   */
  removeTaken(): void {
    if (this.isClear) return
    this.sql.exec("DELETE FROM outbox WHERE id <= ?", this.taken)
    if ((this.parts ??= this.anyParts())) {
      this.sql.exec("DELETE FROM outbox_part WHERE id <= ?", this.taken)
    }
    this.removing = this.taken
  }

  /** Call after a transaction that pushed or removed events. */
  settle(): void {
    if (this.removing <= this.removedId) return
    this.removedId = this.removing
    this.parts &&= this.mayWait()
  }

  /** How many events wait, and the id of the first. */
  waiting(): { readonly events: number; readonly first: number } {
    const query = "SELECT COUNT(*), MIN(id) FROM outbox WHERE id > ?"
    const [[events, first] = []] = this.sql.exec(query, this.taken).raw()
    return { events: Number(events ?? 0), first: Number(first ?? 0) }
  }

  /** Whether everything that the log has is removed. */
  private get isClear(): boolean {
    return this.taken <= this.removedId
  }

  private highest(): number {
    for (const [id] of this.sql.exec("SELECT MAX(id) FROM outbox").raw()) return Number(id ?? 0)
    return 0
  }

  private anyParts(): boolean {
    return [...this.sql.exec("SELECT 1 FROM outbox_part LIMIT 1").raw()].length > 0
  }

  /** Puts an event into the row of the one that the log has: a row more would be billed. */
  private replace(id: number, meta: string, frame: Uint8Array): boolean {
    if (this.takenRow === undefined || this.isClear || (this.parts ??= this.anyParts()))
      return false
    this.removing = this.taken
    const update = "UPDATE outbox SET id = ?, meta = ?, frame = ? WHERE id = ?"
    return this.sql.exec(update, id, meta, frame, this.takenRow).rowsWritten > 0
  }

  private insert(id: number, meta: string, frame: Uint8Array): void {
    // In this transaction: another one would cost another disk write.
    this.removeTaken()
    this.sql.exec("INSERT INTO outbox (id, meta, frame) VALUES (?, ?, ?)", id, meta, frame)
  }
}

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  outbox: {
    filledBy: "its owner's writes",
    bound: "what the Sequencer has not taken yet, of the points of `record`",
    bytes: 10_000_000_000,
    per: "account"
  },
  outbox_part: {
    filledBy: "its owner's writes",
    bound: "the rest of long frames of `outbox`",
    bytes: 10_000_000_000,
    per: "account"
  }
})
