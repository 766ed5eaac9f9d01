import { type Data, InvalidCbor } from "./cbor.ts"
import { CborReader } from "./cborReader.ts"
import { Cid, InvalidCid } from "./cid.ts"
import { maxDepth } from "./limits.ts"
import { major } from "./writer.ts"

/** Decodes canonical DAG-CBOR; throws InvalidCbor for any other form. */
export const decode = (bytes: Uint8Array): Data => {
  const reader = new CborReader(bytes)
  const value = read(reader, 0)
  if (reader.at < bytes.length) throw new InvalidCbor("bytes after the value")
  return value
}

/** Decodes the first value and returns the bytes after it; throws InvalidCbor. */
export const decodeFirst = (bytes: Uint8Array): [value: Data, rest: Uint8Array] => {
  const reader = new CborReader(bytes)
  const value = read(reader, 0)
  return [value, bytes.subarray(reader.at)]
}

const linkTag = 42

const read = (reader: CborReader, depth: number): Data => {
  const type = reader.head()
  switch (type) {
    case major.array:
      return readArray(reader, reader.argument, depth)
    case major.map:
      return readMap(reader, reader.argument, depth)
    case major.tag:
      return readLink(reader)
    default:
      return reader.scalar(type)
  }
}

const descend = (depth: number): number => {
  if (depth >= maxDepth) throw new InvalidCbor(`nested deeper than ${maxDepth} levels`)
  return depth + 1
}

const readArray = (reader: CborReader, count: number, depth: number): Array<Data> => {
  const inside = descend(depth)
  const items: Array<Data> = []
  for (let left = count; left > 0; left--) items.push(read(reader, inside))
  return items
}

const readMap = (reader: CborReader, count: number, depth: number): { [key: string]: Data } => {
  const inside = descend(depth)
  const map: { [key: string]: Data } = {}
  let before = -1
  let beforeEnd = -1
  for (let left = count; left > 0; left--) {
    const start = reader.at
    if (reader.head() !== major.text) throw new InvalidCbor("a key that is no text")
    const key = reader.text(reader.argument)
    if (before >= 0 && !rises(reader.bytes, before, beforeEnd, start, reader.at)) {
      throw new InvalidCbor("keys out of order")
    }
    before = start
    beforeEnd = reader.at
    const value = read(reader, inside)
    // An assignment would change the object's prototype.
    if (key === "__proto__") Object.defineProperty(map, key, { ...own, value })
    else map[key] = value
  }
  return map
}

const own = { enumerable: true, configurable: true, writable: true }

/**
 * Whether an encoded key sorts before another. Comparing bytes gives DAG-CBOR's order, because the
 * heads hold the lengths.
 */
const rises = (bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean => {
  for (; a < aEnd && b < bEnd; a++, b++) if (bytes[a] !== bytes[b]) return bytes[a]! < bytes[b]!
  return false
}

const readLink = (reader: CborReader): Cid => {
  if (reader.argument !== linkTag) throw new InvalidCbor("a tag that is no link's")
  if (reader.head() !== major.bytes) throw new InvalidCbor("a malformed link")
  const bytes = reader.take(reader.argument)
  if (bytes[0] !== 0) throw new InvalidCbor("a malformed link")
  try {
    return Cid.fromBytes(bytes.slice(1))
  } catch (error) {
    if (error instanceof InvalidCid) throw new InvalidCbor("a link to a foreign kind of CID")
    throw error
  }
}
