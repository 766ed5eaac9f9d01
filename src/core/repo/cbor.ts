import { Cid } from "./cid.ts"
import { maxDepth } from "./limits.ts"
import { major, scratch, takeScratch } from "./writer.ts"

/** A value of the AT Protocol data model. */
export type Data =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Cid
  | Array<Data>
  | { [key: string]: Data }

/** Thrown for bytes that are not canonical DAG-CBOR, or for a value that DAG-CBOR cannot hold. */
export class InvalidCbor extends Error {
  override readonly name = "InvalidCbor"
}

const writer = scratch

/** Encodes a value as canonical DAG-CBOR; throws InvalidCbor for a value outside the data model. */
export const encode = (value: Data): Uint8Array => {
  writer.position = 0
  write(value, 0)
  return takeScratch()
}

const write = (value: Data, depth: number): void => {
  switch (typeof value) {
    case "string":
      if (!writer.text(value)) throw new InvalidCbor("text with a lone surrogate")
      return
    case "number":
      if (!Number.isSafeInteger(value)) throw new InvalidCbor("a number that is no safe integer")
      return writer.integer(value)
    case "boolean":
      return writer.simple(value ? 0xf5 : 0xf4)
    case "object":
      if (value === null) return writer.simple(0xf6)
      if (value instanceof Cid) return writer.link(value)
      if (value instanceof Uint8Array) return writer.bytes(value)
      if (depth >= maxDepth) throw new InvalidCbor(`nested deeper than ${maxDepth} levels`)
      if (Array.isArray(value)) {
        writer.head(major.array, value.length)
        for (let i = 0; i < value.length; i++) write(value[i]!, depth + 1)
        return
      }
      return writeMap(value, depth)
    default:
      throw new InvalidCbor(`a value of type ${typeof value}`)
  }
}

const writeMap = (value: { [key: string]: Data }, depth: number): void => {
  const keys = sortKeys(Object.keys(value))
  writer.head(major.map, keys.length)
  for (const key of keys) {
    if (!writer.text(key)) throw new InvalidCbor("a key with a lone surrogate")
    write(value[key]!, depth + 1)
  }
}

const utf8 = new TextEncoder()

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** DAG-CBOR's order of keys: shorter UTF-8 first, then by its bytes. */
const sortKeys = (keys: Array<string>): Array<string> => {
  if (!keys.every(isAscii)) {
    const encoded = keys.map((key) => ({ key, bytes: utf8.encode(key) }))
    encoded.sort((a, b) => a.bytes.length - b.bytes.length || compareBytes(a.bytes, b.bytes))
    return encoded.map(({ key }) => key)
  }
  if (keys.length > 24) return keys.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1))
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i]!
    let at = i
    for (; at > 0; at--) {
      const left = keys[at - 1]!
      if (left.length < key.length || (left.length === key.length && left < key)) break
      keys[at] = left
    }
    keys[at] = key
  }
  return keys
}

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}
