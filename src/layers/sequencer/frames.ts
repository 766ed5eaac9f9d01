import { bytesOf, type SqlStorage } from "../../services/SqlStorage.ts"

type Sql = SqlStorage["Service"]

/** A frame with its number in it. */
export interface Numbered {
  readonly seq: number
  readonly frame: Uint8Array
}

/** A row holds 2 MB at most and a frame may be 5 MB: longer ones continue in parts of this size. */
const partBytes = 1_000_000

/** Stores a frame: one row up to a megabyte. */
export const insertFrame = (sql: Sql, did: string, nth: number, { seq, frame }: Numbered): void => {
  const first = frame.byteLength <= partBytes ? frame : frame.subarray(0, partBytes)
  sql.exec("INSERT INTO event (seq, nth, did, frame) VALUES (?, ?, ?, ?)", seq, nth, did, first)
  for (let part = 1; part * partBytes < frame.byteLength; part++) {
    const bytes = frame.subarray(part * partBytes, (part + 1) * partBytes)
    sql.exec("INSERT INTO event_part (seq, part, bytes) VALUES (?, ?, ?)", seq, part, bytes)
  }
}

const joined = (sql: Sql, seq: number, first: Uint8Array): Uint8Array => {
  if (first.byteLength < partBytes) return first
  const parts = [first]
  const rest = sql.exec("SELECT bytes FROM event_part WHERE seq = ? ORDER BY part", seq)
  for (const [bytes] of rest.raw()) parts.push(bytesOf(bytes))
  const frame = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    frame.set(part, at)
    at += part.byteLength
  }
  return frame
}

/** The frames after a number, in order, up to so many bytes (but at least one) and rows. */
export const framesAfter = (
  sql: Sql,
  cursor: number,
  limit: { readonly frames: number; readonly bytes: number }
): Array<Numbered> => {
  const frames: Array<Numbered> = []
  let bytes = 0
  const rows = sql.exec(
    "SELECT seq, frame FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
    cursor,
    limit.frames
  )
  for (const [number, first] of rows.raw()) {
    const seq = Number(number)
    const frame = joined(sql, seq, bytesOf(first))
    frames.push({ seq, frame })
    bytes += frame.byteLength
    if (bytes >= limit.bytes) break
  }
  return frames
}

/** Removes every frame of a DID that is older than a number; reads the numbers of the whole log. */
export const deleteFramesOf = (sql: Sql, did: string, before: number): void => {
  sql.exec(
    "DELETE FROM event_part WHERE seq IN (SELECT seq FROM event WHERE did = ? AND seq < ?)",
    did,
    before
  )
  sql.exec("DELETE FROM event WHERE did = ? AND seq < ?", did, before)
}
