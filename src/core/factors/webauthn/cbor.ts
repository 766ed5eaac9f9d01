import { InvalidCbor } from "../../repo/cbor.ts"
import { CborReader } from "../../repo/cborReader.ts"
import { maxDepth } from "../../repo/limits.ts"
import { major } from "../../repo/writer.ts"
import { WebAuthnFault } from "./fault.ts"

/** A CBOR map, whose keys may be numbers, unlike those of DAG-CBOR. */
export type CborMap = ReadonlyMap<unknown, unknown>

/** Decodes the first map and returns the bytes after it; throws WebAuthnFault. */
export const decodeMap = (bytes: Uint8Array): [map: CborMap, rest: Uint8Array] => {
  const reader = new CborReader(bytes)
  let value: unknown
  try {
    value = read(reader, 0)
  } catch (error) {
    if (error instanceof InvalidCbor) throw new WebAuthnFault("malformed CBOR")
    throw error
  }
  if (!(value instanceof Map)) throw new WebAuthnFault("not a map of CBOR")
  return [value, bytes.subarray(reader.at)]
}

const read = (reader: CborReader, depth: number): unknown => {
  if (depth > maxDepth) throw new InvalidCbor(`nested deeper than ${maxDepth} levels`)
  const type = reader.head()
  switch (type) {
    case major.array: {
      const items: Array<unknown> = []
      for (let left = reader.argument; left > 0; left--) items.push(read(reader, depth + 1))
      return items
    }
    case major.map:
      return readMap(reader, reader.argument, depth)
    case major.tag:
      throw new InvalidCbor("a tag")
    default:
      return reader.scalar(type)
  }
}

const readMap = (reader: CborReader, count: number, depth: number): CborMap => {
  const map = new Map<unknown, unknown>()
  for (let left = count; left > 0; left--) {
    const key = read(reader, depth + 1)
    if (map.has(key)) throw new InvalidCbor("a repeated key")
    map.set(key, read(reader, depth + 1))
  }
  return map
}
