import { InvalidCbor } from "./cbor.ts"
import { major } from "./writer.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Up to this length, a loop that recognizes ASCII is faster than a call to the decoder. */
const shortText = 64

/**
 * Reads CBOR item by item: definite lengths, shortest number encoding, safe integers only; throws
 * InvalidCbor.
 */
export class CborReader {
  readonly bytes: Uint8Array
  /** Offset of the next item. */
  at = 0
  /** The argument of the last head. */
  argument = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Reads a head and returns its major type; accepts only one-byte simple values (type 7). */
  head(): number {
    const { bytes } = this
    const first = bytes[this.at]
    if (first === undefined) throw new InvalidCbor("it ends too soon")
    const type = first & 0xe0
    const low = first & 0x1f
    this.at++
    if (low < 24) this.argument = low
    else if (low > 27) throw new InvalidCbor("an indefinite length, or none")
    else if (type === major.simple) throw new InvalidCbor("a float")
    else this.#readArgument(1 << (low - 24))
    return type
  }

  #readArgument(width: number): void {
    const end = this.at + width
    if (end > this.bytes.length) throw new InvalidCbor("it ends too soon")
    let n = 0
    while (this.at < end) n = n * 256 + this.bytes[this.at++]!
    if (n < (width === 1 ? 24 : 2 ** (width * 4))) {
      throw new InvalidCbor("a number in more bytes than it needs")
    }
    if (n > Number.MAX_SAFE_INTEGER) throw new InvalidCbor("a number that is no safe integer")
    this.argument = n
  }

  /** Reads the value after a head of this major type, which must be a scalar. */
  scalar(type: number): number | string | boolean | null | Uint8Array {
    switch (type) {
      case major.uint:
        return this.argument
      case major.negative:
        return this.#negative()
      case major.bytes:
        return this.take(this.argument).slice()
      case major.text:
        return this.text(this.argument)
      default:
        return this.#simple()
    }
  }

  #negative(): number {
    const n = -1 - this.argument
    if (!Number.isSafeInteger(n)) throw new InvalidCbor("a number that is no safe integer")
    return n
  }

  /** The data model allows three simple values. */
  #simple(): boolean | null {
    if (this.argument === 20 || this.argument === 21) return this.argument === 21
    if (this.argument === 22) return null
    throw new InvalidCbor("an unknown simple value")
  }

  /** The next `length` bytes, as a view. */
  take(length: number): Uint8Array {
    const end = this.at + length
    if (end > this.bytes.length) throw new InvalidCbor("it ends too soon")
    const part = this.bytes.subarray(this.at, end)
    this.at = end
    return part
  }

  /** The next `length` bytes as text; keeps a byte order mark. */
  text(length: number): string {
    const { bytes, at } = this
    const part = this.take(length)
    if (length <= shortText) {
      let text = ""
      let i = at
      for (; i < this.at && bytes[i]! < 0x80; i++) text += String.fromCharCode(bytes[i]!)
      if (i === this.at) return text
    }
    try {
      return utf8.decode(part)
    } catch {
      throw new InvalidCbor("text that is not UTF-8")
    }
  }
}
