import { CID } from "multiformats/cid"
import { Cid } from "./cid.ts"
import { decode } from "./cborDecode.ts"
import { type Data, InvalidCbor } from "./cbor.ts"
import { isMap } from "./json.ts"
import { major } from "./writer.ts"

/** Maximum depth of arrays, objects and tags in a record from another server. */
const maxLooseDepth = 128

/** Thrown inside this module for bytes that even the lenient reader cannot parse. */
class Unreadable extends Error {
  override readonly name = "Unreadable"
}

const text = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false })

/**
 * A value as the lenient reader returns it: the data model plus floats, 64-bit integers and foreign
 * links.
 */
export type LooseData =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Cid
  | ReadonlyArray<LooseData>
  | { readonly [key: string]: LooseData }

/**
 * Reads CBOR that other servers wrote: keys in any order, numbers of any width, floats, broken
 * UTF-8, other tags.
 *
 * Lengths must be definite and depth is bounded. Each item costs at least a byte, so the block's
 * size bounds memory.
 */
class LooseReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  value(depth: number): LooseData {
    if (depth > maxLooseDepth) throw new Unreadable("nested too deep")
    const start = this.#at
    const head = this.#bytes[start]
    if (head === undefined) throw new Unreadable("it ends too soon")
    const type = head & 0xe0
    if (type === major.simple) return this.#simple(head & 0x1f)
    const argument = this.#argument()
    switch (type) {
      case major.uint:
        return argument
      case major.negative:
        return typeof argument === "bigint" || argument === Number.MAX_SAFE_INTEGER
          ? -1n - BigInt(argument)
          : -1 - argument
      case major.bytes:
        return this.#take(argument).slice()
      case major.text:
        return text.decode(this.#take(argument))
      case major.array:
        return this.#array(argument, depth + 1)
      case major.map:
        return this.#map(argument, depth + 1)
      default:
        return argument === 42 ? this.#link() : this.value(depth + 1)
    }
  }

  #argument(): number | bigint {
    const low = this.#bytes[this.#at++]! & 0x1f
    if (low < 24) return low
    const at = this.#at
    const width = low > 27 ? 0 : 1 << (low - 24)
    if (width === 0 || at + width > this.#bytes.length) throw new Unreadable("no length")
    this.#at += width
    if (width === 1) return this.#view.getUint8(at)
    if (width === 2) return this.#view.getUint16(at)
    if (width === 4) return this.#view.getUint32(at)
    const wide = this.#view.getBigUint64(at)
    return wide > Number.MAX_SAFE_INTEGER ? wide : Number(wide)
  }

  #take(length: number | bigint): Uint8Array {
    const end = this.#at + Number(length)
    if (end > this.#bytes.length) throw new Unreadable("it ends too soon")
    const part = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return part
  }

  #array(count: number | bigint, depth: number): ReadonlyArray<LooseData> {
    const items: Array<LooseData> = []
    // A false count runs out of bytes and throws long before it is reached.
    for (let left = Number(count); left > 0; left--) items.push(this.value(depth))
    return items
  }

  #map(count: number | bigint, depth: number): { readonly [key: string]: LooseData } {
    const map: { [key: string]: LooseData } = {}
    for (let left = Number(count); left > 0; left--) {
      const key = this.value(depth)
      if (typeof key !== "string") throw new Unreadable("a key that is no text")
      const value = this.value(depth)
      // An assignment to `__proto__` would change the object's prototype.
      Object.defineProperty(map, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true
      })
    }
    return map
  }

  #simple(low: number): LooseData {
    const at = ++this.#at
    const width = low < 25 || low > 27 ? 0 : 1 << (low - 24)
    if (at + width > this.#bytes.length) throw new Unreadable("it ends too soon")
    this.#at += width
    if (width === 2) return halfFloat(this.#view.getUint16(at))
    if (width === 4) return this.#view.getFloat32(at)
    if (width === 8) return this.#view.getFloat64(at)
    if (low === 20 || low === 21) return low === 21
    if (low === 22 || low === 23) return null
    throw new Unreadable("an unknown simple value")
  }

  #link(): LooseData {
    if ((this.#bytes[this.#at]! & 0xe0) !== major.bytes) throw new Unreadable("a malformed link")
    const bytes = this.#take(this.#argument())
    if (bytes[0] !== 0) throw new Unreadable("a malformed link")
    const cid = bytes.slice(1)
    try {
      return Cid.fromBytes(cid)
    } catch {
      return foreignLink(cid)
    }
  }
}

const foreignLink = (bytes: Uint8Array): { readonly $link: string } => {
  try {
    return { $link: CID.decode(bytes).toString() }
  } catch {
    throw new Unreadable("a link to nothing")
  }
}

const halfFloat = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** Decodes as much of a foreign block as it can; undefined if the bytes are not CBOR. */
export const decodeLoose = (bytes: Uint8Array): LooseData | undefined => {
  const reader = new LooseReader(bytes)
  try {
    const value = reader.value(0)
    return reader.isAtEnd ? value : undefined
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

/** A stored record, decoded as far as possible. */
export interface ReadRecord {
  readonly fields: { readonly [key: string]: LooseData }
  /** Why this record could not be written today; undefined for a strict record. */
  readonly oddity: string | undefined
}

/**
 * Reads a stored record's block: strictly if possible, leniently for a record that an import kept
 * as it was.
 */
export const readStoredRecord = (bytes: Uint8Array): ReadRecord => {
  const strict = tryDecode(bytes)
  if (typeof strict === "string") {
    const loose = decodeLoose(bytes)
    return { fields: isLooseMap(loose) ? loose : {}, oddity: strict }
  }
  return isMap(strict)
    ? { fields: strict, oddity: undefined }
    : { fields: {}, oddity: "it is no object" }
}

const tryDecode = (bytes: Uint8Array): Exclude<Data, string> | string => {
  try {
    const value = decode(bytes)
    return typeof value === "string" ? "it is no object" : value
  } catch (error) {
    if (error instanceof InvalidCbor) return `it is not strict DAG-CBOR: ${error.message}`
    throw error
  }
}

/** Whether a value is an object rather than an array, bytes or a link. */
export const isLooseMap = (
  value: LooseData | undefined
): value is { readonly [key: string]: LooseData } =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Cid) &&
  !(value instanceof Uint8Array)
