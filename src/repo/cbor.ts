import { decodeFirst as decodeCborg, Token, Tokenizer, Type } from "cborg"
import { Cid, InvalidCid } from "./cid.ts"
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

/** Thrown for bytes that are not the one DAG-CBOR form of a value, or a value that has none. */
export class InvalidCbor extends Error {
  override readonly name = "InvalidCbor"
}

const writer = scratch

/** Encodes a value in its one DAG-CBOR form; throws InvalidCbor for what the data model has not. */
export const encode = (value: Data): Uint8Array => {
  writer.position = 0
  write(value, 0)
  return takeScratch()
}

/** The same, but what keeps a value from having this form is the answer. */
export const tryEncode = (value: Data): Uint8Array | InvalidCbor => {
  try {
    return encode(value)
  } catch (error) {
    if (error instanceof InvalidCbor) return error
    throw error
  }
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

/** Decodes the one DAG-CBOR form of a value, and no other; throws InvalidCbor. */
export const decode = (bytes: Uint8Array): Data => {
  const [value, rest] = decodeFirst(bytes)
  if (rest.length > 0) throw new InvalidCbor("bytes after the value")
  return value
}

/** Decodes the value that the bytes begin with, and returns what follows it; throws InvalidCbor. */
export const decodeFirst = (bytes: Uint8Array): [value: Data, rest: Uint8Array] => {
  try {
    return decodeCborg(bytes, { ...strict, tokenizer: new StrictTokenizer(bytes, strict) })
  } catch (error) {
    if (error instanceof InvalidCbor) throw error
    throw new InvalidCbor(error instanceof Error ? error.message : String(error))
  }
}

const linkTag = (content: () => unknown): Cid => {
  const bytes = content()
  if (!(bytes instanceof Uint8Array) || bytes[0] !== 0) throw new InvalidCbor("a malformed link")
  try {
    return Cid.fromBytes(bytes.subarray(1))
  } catch (error) {
    if (error instanceof InvalidCid) throw new InvalidCbor("a link to a foreign kind of CID")
    throw error
  }
}

const strict = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowBigInt: false,
  tags: { 42: linkTag }
}

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** What cborg leaves open: floats, the order of keys, malformed UTF-8, depth. */
class StrictTokenizer extends Tokenizer {
  readonly #bytes: Uint8Array
  /** Items still to come in each open container; the keys of maps are items. */
  readonly #remaining: Array<number> = []
  /** Where the last key of each open container lies; -1 in arrays, and in maps before a key. */
  readonly #isMap: Array<boolean> = []
  readonly #keyStart: Array<number> = []
  readonly #keyEnd: Array<number> = []

  constructor(bytes: Uint8Array, options: typeof strict) {
    super(bytes, options)
    this.#bytes = bytes
  }

  override next(): Token {
    const start = this.pos()
    const token: Token = super.next()
    const type = token.type
    if (type === Type.tag) return token
    const top = this.#remaining.length - 1
    if (top >= 0) this.#countItem(top, start, type)
    if (type === Type.float) throw new InvalidCbor("a float")
    if (type === Type.array || type === Type.map) {
      this.#open(type === Type.map, token.value as number)
      return token
    }
    this.#close()
    if (type === Type.string) return this.#checkText(token, start)
    return token
  }

  #countItem(top: number, start: number, type: Type): void {
    const remaining = this.#remaining[top]!
    this.#remaining[top] = remaining - 1
    if (!this.#isMap[top] || remaining % 2 !== 0) return
    if (type !== Type.string) throw new InvalidCbor("a key that is no text")
    const end = this.pos()
    const before = this.#keyStart[top]!
    // A key's head holds its length, so the encoded keys compare as the keys do.
    if (before >= 0 && !this.#rises(before, this.#keyEnd[top]!, start, end)) {
      throw new InvalidCbor("keys out of order")
    }
    this.#keyStart[top] = start
    this.#keyEnd[top] = end
  }

  #rises(aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
    const bytes = this.#bytes
    for (let a = aStart, b = bStart; a < aEnd && b < bEnd; a++, b++) {
      if (bytes[a] !== bytes[b]) return bytes[a]! < bytes[b]!
    }
    return aEnd - aStart < bEnd - bStart
  }

  #open(isMap: boolean, count: number): void {
    if (this.#remaining.length >= maxDepth) {
      throw new InvalidCbor(`nested deeper than ${maxDepth} levels`)
    }
    this.#remaining.push(isMap ? count * 2 : count)
    this.#isMap.push(isMap)
    this.#keyStart.push(-1)
    this.#keyEnd.push(-1)
    if (count === 0) this.#close()
  }

  /** Leaves the containers whose last item has just been read. */
  #close(): void {
    while (this.#remaining.length > 0 && this.#remaining[this.#remaining.length - 1] === 0) {
      this.#remaining.pop()
      this.#isMap.pop()
      this.#keyStart.pop()
      this.#keyEnd.pop()
    }
  }

  /** cborg mends malformed UTF-8 and drops a leading byte order mark; text must stay as it is. */
  #checkText(token: Token, start: number): Token {
    const value = token.value as string
    const end = this.pos()
    const bytes = end - start
    // Only ASCII has as many characters as bytes, or else single bytes that were mended.
    if (value.length + headBytes(this.#bytes[start]!) === bytes && !value.includes("\ufffd")) {
      return token
    }
    const from = start + headBytes(this.#bytes[start]!)
    return new Token(Type.string, text.decode(this.#bytes.subarray(from, end)), bytes)
  }
}

const headBytes = (first: number): number => {
  const info = first & 31
  return info < 24 ? 1 : 1 + 2 ** (info - 24)
}
