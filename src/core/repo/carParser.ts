import { InvalidCbor } from "./cbor.ts"
import { decode } from "./cborDecode.ts"
import { decodeLoose, isLooseMap } from "./cborLoose.ts"
import { Cid, cidLength, isCidAt } from "./cid.ts"
import { maxCarBlock, maxCarHeader } from "./limits.ts"

/** A block and its CID. */
export interface Block {
  readonly cid: Cid
  readonly bytes: Uint8Array
}

/**
 * Thrown for bytes that are not a CAR version 1, or for a block whose digest does not match its
 * CID.
 */
export class InvalidCar extends Error {
  override readonly name = "InvalidCar"
}

/** A length from the file, and the offset at which the measured bytes start. */
interface Section {
  readonly start: number
  readonly length: number
}

/** The most bytes that an allowed length can take. */
const maxVarint = 4

/**
 * Reads a CAR from pieces of any size, synchronously: `push` a piece, then call `next` until it
 * returns undefined.
 *
 * Checks every size before it buffers. The caller verifies digests, because not every reader needs
 * every block, and copies the blocks it keeps. `isLenient` accepts what other tools write: trailing
 * zero bytes and a header in a non-canonical form.
 */
export class CarParser {
  #buffer = new Uint8Array(0x2_0000)
  #start = 0
  #end = 0
  #roots: ReadonlyArray<Cid> | undefined
  readonly #isLenient: boolean
  /** True once only trailing zero bytes may follow. */
  #isPadding = false

  constructor({ isLenient = false }: { readonly isLenient?: boolean } = {}) {
    this.#isLenient = isLenient
  }

  /** The roots in the header, once it is complete; throws InvalidCar. */
  get roots(): ReadonlyArray<Cid> | undefined {
    return (this.#roots ??= this.#readHeader())
  }

  /** Adds the next piece of the file; invalidates the blocks returned so far. */
  push(piece: Uint8Array): void {
    const kept = this.#end - this.#start
    if (this.#end + piece.length > this.#buffer.length) {
      const needed = kept + piece.length
      const target =
        needed > this.#buffer.length ? new Uint8Array(Math.max(needed, 2 * kept)) : this.#buffer
      target.set(this.#buffer.subarray(this.#start, this.#end))
      this.#buffer = target
      this.#start = 0
      this.#end = kept
    }
    this.#buffer.set(piece, this.#end)
    this.#end += piece.length
  }

  /**
   * The next block as views that are valid until the next `push`; undefined if more bytes are
   * needed.
   */
  next(): Block | undefined {
    if (this.roots === undefined || this.#isInPadding()) return undefined
    const section = this.#section(cidLength + maxCarBlock)
    if (section === undefined) return undefined
    const { start, length } = section
    if (length < cidLength) throw new InvalidCar("a block without a CID")
    const here = this.#end - start
    if (here < cidLength) return undefined
    if (!isCidAt(this.#buffer, start)) throw new InvalidCar("a block with a foreign kind of CID")
    if (here < length) return undefined
    this.#start = start + length
    return {
      cid: new Cid(this.#buffer.subarray(start, start + cidLength)),
      bytes: this.#buffer.subarray(start + cidLength, start + length)
    }
  }

  /** Skips zero bytes at the end of a file; throws InvalidCar when anything else follows them. */
  #isInPadding(): boolean {
    if (!this.#isLenient) return false
    this.#isPadding ||= this.#start < this.#end && this.#buffer[this.#start] === 0
    if (!this.#isPadding) return false
    while (this.#start < this.#end && this.#buffer[this.#start] === 0) this.#start++
    if (this.#start < this.#end) throw new InvalidCar("a block without a CID")
    return true
  }

  /** Marks the end of the file; throws InvalidCar if it is incomplete. */
  end(): void {
    if (this.roots === undefined || this.#start < this.#end) {
      throw new InvalidCar("it ends in the middle of a block")
    }
  }

  #readHeader(): ReadonlyArray<Cid> | undefined {
    const section = this.#section(maxCarHeader)
    if (section === undefined) return undefined
    const { start, length } = section
    if (length === 0) throw new InvalidCar("no header")
    if (this.#end - start < length) return undefined
    this.#start = start + length
    return rootsOf(this.#buffer.slice(start, start + length), this.#isLenient)
  }

  /** Reads a length; undefined if it is incomplete. */
  #section(limit: number): Section | undefined {
    let length = 0
    for (let i = 0; i < maxVarint; i++) {
      const at = this.#start + i
      if (at >= this.#end) return undefined
      const byte = this.#buffer[at]!
      length |= (byte & 0x7f) << (7 * i)
      if (byte >= 0x80) continue
      if (length > limit) throw new InvalidCar(`${length} bytes are too many`)
      return { start: at + 1, length }
    }
    throw new InvalidCar("a length that no block has")
  }
}

const rootsOf = (bytes: Uint8Array, isLenient: boolean): ReadonlyArray<Cid> => {
  const header = isLenient ? decodeLoose(bytes) : headerOf(bytes)
  if (!isLooseMap(header) || header["version"] !== 1) throw new InvalidCar("not version 1")
  const roots = header["roots"]
  if (!Array.isArray(roots)) throw new InvalidCar("no roots")
  return roots.map((root: unknown) => {
    if (root instanceof Cid) return root
    throw new InvalidCar("a root that is no CID")
  })
}

const headerOf = (bytes: Uint8Array) => {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof InvalidCbor) throw new InvalidCar(`a malformed header: ${error.message}`)
    throw error
  }
}
