import * as Schema from "effect/Schema"
import { concatBytes } from "../../core/bytes/bytes.ts"
import { bytesOf, type SqlStorage } from "../../services/host/SqlStorage.ts"
import { seqOf } from "../../core/repo/frame.ts"

type Sql = SqlStorage["Service"]

/**
 * A row holds 2 MB at most and a frame may be 5 MB: longer frames continue in parts of this size.
 */
const partBytes = 1_000_000

const none: ReadonlyArray<Uint8Array> = []

/** The part of a frame in its own row: all of it up to a megabyte. */
export const firstPart = (frame: Uint8Array): Uint8Array =>
  frame.byteLength <= partBytes ? frame : frame.subarray(0, partBytes)

/** The parts of a frame for the second table, in order; empty except for the largest frames. */
export const laterParts = (frame: Uint8Array): ReadonlyArray<Uint8Array> => {
  if (frame.byteLength <= partBytes) return none
  const parts: Array<Uint8Array> = []
  for (let at = partBytes; at < frame.byteLength; at += partBytes) {
    parts.push(frame.subarray(at, at + partBytes))
  }
  return parts
}

/** A frame from its own row, plus the rows that `query` finds by its number if that row is full. */
export const wholeFrame = (sql: Sql, first: Uint8Array, query: string, id: number): Uint8Array => {
  if (first.byteLength < partBytes) return first
  const parts = [first]
  for (const [bytes] of sql.exec(query, id).raw()) parts.push(bytesOf(bytes))
  return concatBytes(parts)
}

/** The stored bytes are not a complete frame with this number. */
class DamagedEvent extends Schema.TaggedError<DamagedEvent>()("DamagedEvent", {
  seq: Schema.Number
}) {}

/** A frame with its sequence number. */
export interface Numbered {
  readonly seq: number
  readonly frame: Uint8Array
}

/** Stores a frame: one row up to a megabyte. */
export const insertFrame = (sql: Sql, did: string, nth: number, { seq, frame }: Numbered): void => {
  const first = firstPart(frame)
  sql.exec("INSERT INTO event (seq, nth, did, frame) VALUES (?, ?, ?, ?)", seq, nth, did, first)
  let part = 0
  for (const bytes of laterParts(frame)) {
    sql.exec("INSERT INTO event_part (seq, part, bytes) VALUES (?, ?, ?)", seq, ++part, bytes)
  }
}

const laterPartsOf = "SELECT bytes FROM event_part WHERE seq = ? ORDER BY part"

/**
 * The frames after a sequence number, in order, up to `bytes` (but at least one) and `rows`.
 *
 * Throws if the next one is damaged; returns those before it first.
 */
export const framesAfter = (
  sql: Sql,
  cursor: number,
  limit: { readonly frames: number; readonly bytes: number }
): Array<Numbered> => {
  const frames: Array<Numbered> = []
  try {
    for (const frame of readFrames(sql, cursor, limit.frames)) {
      frames.push(frame)
      limit = { ...limit, bytes: limit.bytes - frame.frame.byteLength }
      if (limit.bytes <= 0) break
    }
  } catch (cause) {
    if (frames.length === 0) throw cause
  }
  return frames
}

function* readFrames(sql: Sql, cursor: number, limit: number): Iterable<Numbered> {
  const rows = sql.exec(
    "SELECT seq, frame FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
    cursor,
    limit
  )
  for (const [number, first] of rows.raw()) {
    const seq = Number(number)
    const frame = wholeFrame(sql, bytesOf(first), laterPartsOf, seq)
    if (seqOf(frame) !== seq) throw new DamagedEvent({ seq })
    yield { seq, frame }
  }
}

/**
 * One step of the oldest frames before a sequence number: the last one, and whether there are more.
 */
export const oldestFrames = (
  sql: Sql,
  before: number,
  step: { readonly events: number; readonly bytes: number }
): { readonly last: number | undefined; readonly more: boolean } => {
  let count = 0
  let bytes = 0
  let last: number | undefined
  const query = "SELECT seq, LENGTH(frame) FROM event WHERE seq < ? ORDER BY seq LIMIT ?"
  for (const [seq, length] of sql.exec(query, before, step.events).raw()) {
    count += 1
    last = Number(seq)
    bytes += Number(length)
    if (bytes >= step.bytes) break
  }
  return { last, more: count === step.events || bytes >= step.bytes }
}

/**
 * Whether one account holds more than half of the log's bytes; reads the lengths of the whole log.
 */
export const holdsMost = (sql: Sql, did: string): boolean => {
  const query =
    "SELECT SUM(LENGTH(frame)), SUM(CASE did WHEN ? THEN LENGTH(frame) ELSE 0 END) FROM event"
  for (const [all, own] of sql.exec(query, did).raw()) return Number(own) * 2 > Number(all)
  return false
}

/** Removes every frame up to a sequence number. */
export const deleteFramesTo = (sql: Sql, last: number): void => {
  sql.exec("DELETE FROM event_part WHERE seq <= ?", last)
  sql.exec("DELETE FROM event WHERE seq <= ?", last)
}

/** Removes a DID's frames before a sequence number; reads the numbers of the whole log. */
export const deleteFramesOf = (sql: Sql, did: string, before: number): void => {
  sql.exec(
    "DELETE FROM event_part WHERE seq IN (SELECT seq FROM event WHERE did = ? AND seq < ?)",
    did,
    before
  )
  sql.exec("DELETE FROM event WHERE did = ? AND seq < ?", did, before)
}
