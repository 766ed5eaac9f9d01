import type { Cid } from "./cid.ts"
import { cidLength } from "./cid.ts"

const utf8 = new TextEncoder()

/** Whether text has a UTF-8 form, i.e. no lone surrogates. */
export const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)

/** CBOR major types, in the upper three bits. */
export const major = {
  uint: 0x00,
  negative: 0x20,
  bytes: 0x40,
  text: 0x60,
  array: 0x80,
  map: 0xa0,
  tag: 0xc0,
  simple: 0xe0
}

/** Length of a CBOR head with this argument, in bytes. */
export const headLength = (n: number): number =>
  n < 24 ? 1 : n < 0x100 ? 2 : n < 0x1_0000 ? 3 : n < 0x1_0000_0000 ? 5 : 9

/** Length of a tagged link in bytes: tag 42, a byte string of 37, the leading zero, the CID. */
export const linkLength = 5 + cidLength

/** Appends DAG-CBOR items to a growing buffer; does not check order or depth. */
class CborWriter {
  buffer: Uint8Array
  position = 0

  constructor(capacity: number) {
    this.buffer = new Uint8Array(capacity)
  }

  /** Makes room for `length` more bytes. */
  reserve(length: number): void {
    const needed = this.position + length
    if (needed <= this.buffer.length) return
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2))
    grown.set(this.buffer.subarray(0, this.position))
    this.buffer = grown
  }

  /** Appends a head: major type and argument, in the fewest bytes. */
  head(type: number, n: number): void {
    this.reserve(9)
    this.position = writeHead(this.buffer, this.position, type, n)
  }

  /** Appends one byte: null, true or false. */
  simple(byte: number): void {
    this.reserve(1)
    this.buffer[this.position++] = byte
  }

  /** Appends a safe integer. */
  integer(n: number): void {
    if (n >= 0) this.head(major.uint, n)
    else this.head(major.negative, -1 - n)
  }

  /** Appends a byte string. */
  bytes(bytes: Uint8Array): void {
    this.head(major.bytes, bytes.length)
    this.verbatim(bytes)
  }

  /** Appends bytes that are CBOR already. */
  verbatim(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.position)
    this.position += bytes.length
  }

  /** Appends a link: tag 42. */
  link(cid: Cid): void {
    this.reserve(linkLength)
    this.position = writeLink(this.buffer, this.position, cid.bytes)
  }

  /** Appends a text string; false if it holds a lone surrogate, which has no UTF-8 form. */
  text(text: string): boolean {
    const length = text.length
    this.reserve(9 + length * 3)
    const start = this.position
    const at = start + headLength(length)
    if (length < 48 && writeAscii(this.buffer, at, text)) {
      writeHead(this.buffer, start, major.text, length)
      this.position = at + length
      return true
    }
    const written = utf8.encodeInto(text, this.buffer.subarray(at)).written
    // The head was sized from the character count; move the text if its bytes need a longer one.
    const actual = start + headLength(written)
    if (actual !== at) this.buffer.copyWithin(actual, at, at + written)
    writeHead(this.buffer, start, major.text, written)
    this.position = actual + written
    return written === length || isWellFormed(text)
  }

  /** A copy of the bytes so far. */
  take(): Uint8Array {
    return this.buffer.slice(0, this.position)
  }
}

/** Writes a head at `at` and returns the position after it. */
export const writeHead = (buffer: Uint8Array, at: number, type: number, n: number): number => {
  if (n < 24) {
    buffer[at] = type | n
    return at + 1
  }
  if (n < 0x100) {
    buffer[at] = type | 24
    buffer[at + 1] = n
    return at + 2
  }
  if (n < 0x1_0000) {
    buffer[at] = type | 25
    buffer[at + 1] = n >>> 8
    buffer[at + 2] = n
    return at + 3
  }
  if (n < 0x1_0000_0000) {
    buffer[at] = type | 26
    writeUint32(buffer, at + 1, n)
    return at + 5
  }
  buffer[at] = type | 27
  writeUint64(buffer, at + 1, n)
  return at + 9
}

const writeUint32 = (buffer: Uint8Array, at: number, n: number): void => {
  buffer[at] = n >>> 24
  buffer[at + 1] = n >>> 16
  buffer[at + 2] = n >>> 8
  buffer[at + 3] = n
}

/** Writes a safe, non-negative integer as 8 bytes, big-endian. */
export const writeUint64 = (buffer: Uint8Array, at: number, n: number): void => {
  writeUint32(buffer, at, Math.floor(n / 0x1_0000_0000))
  writeUint32(buffer, at + 4, n % 0x1_0000_0000)
}

/** Writes a tagged link at `at` and returns the position after it. */
export const writeLink = (buffer: Uint8Array, at: number, cid: Uint8Array): number => {
  buffer[at] = 0xd8
  buffer[at + 1] = 42
  buffer[at + 2] = 0x58
  buffer[at + 3] = 37
  buffer[at + 4] = 0
  buffer.set(cid, at + 5)
  return at + linkLength
}

/** Writes ASCII text; false, with garbage after `at`, if it holds anything else. */
const writeAscii = (buffer: Uint8Array, at: number, text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return false
    buffer[at + i] = unit
  }
  return true
}

const scratchCapacity = 0x8000

/**
 * One shared writer for short encodings, which are synchronous; `takeScratch` copies the result.
 */
export const scratch = new CborWriter(scratchCapacity)

/** A copy of the bytes in `scratch`, which is then ready for the next encoding. */
export const takeScratch = (): Uint8Array => {
  const bytes = scratch.take()
  scratch.position = 0
  if (scratch.buffer.length > 0x10_0000) scratch.buffer = new Uint8Array(scratchCapacity)
  return bytes
}
