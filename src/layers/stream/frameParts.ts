import { concatBytes } from "../../core/bytes/bytes.ts"
import { bytesOf, type SqlStorage } from "../../services/host/SqlStorage.ts"

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
export const wholeFrame = (
  sql: SqlStorage["Service"],
  first: Uint8Array,
  query: string,
  id: number
): Uint8Array => {
  if (first.byteLength < partBytes) return first
  const parts = [first]
  for (const [bytes] of sql.exec(query, id).raw()) parts.push(bytesOf(bytes))
  return concatBytes(parts)
}
