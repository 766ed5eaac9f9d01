import { sameBytes } from "../bytes/bytes.ts"
import { type Block, CarParser, InvalidCar } from "./carParser.ts"
import { Cid, cidLength, sha256 } from "./cid.ts"
import { encode } from "./cbor.ts"

export { type Block, InvalidCar } from "./carParser.ts"

const varintLength = (n: number): number => {
  let length = 1
  for (let rest = n; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
  return length
}

const writeVarint = (buffer: Uint8Array, at: number, n: number): number => {
  let rest = n
  while (rest >= 0x80) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  buffer[at++] = rest
  return at
}

/** Block sizes at which the length prefix grows to two, three and four bytes. */
export const lengthSteps: ReadonlyArray<number> = [0x80, 0x4000, 0x20_0000].map(
  (end) => end - cidLength
)

/** Bytes in front of each block in a CAR, without the growth that `lengthSteps` describes. */
export const blockPrefix: number = 1 + cidLength

/** Bytes that a block of this size takes in a CAR. */
export const carBlockLength = (size: number): number => {
  let length = blockPrefix + size
  for (const step of lengthSteps) if (size >= step) length++
  return length
}

const writeBlock = (buffer: Uint8Array, at: number, cid: Cid, bytes: Uint8Array): number => {
  at = writeVarint(buffer, at, cidLength + bytes.length)
  buffer.set(cid.bytes, at)
  buffer.set(bytes, at + cidLength)
  return at + cidLength + bytes.length
}

/** The header of a CAR with one root or no root. */
export const carHeader = (root?: Cid): Uint8Array => {
  const header = encode({ roots: root === undefined ? [] : [root], version: 1 })
  const bytes = new Uint8Array(varintLength(header.length) + header.length)
  bytes.set(header, writeVarint(bytes, 0, header.length))
  return bytes
}

/** A whole CAR in one buffer: for frames and proofs. */
export const carBytes = (root: Cid | undefined, blocks: Iterable<Block>): Uint8Array => {
  const header = carHeader(root)
  const list = [...blocks]
  let length = header.length
  for (const { bytes } of list) length += carBlockLength(bytes.length)
  const out = new Uint8Array(length)
  out.set(header)
  let at = header.length
  for (const { cid, bytes } of list) at = writeBlock(out, at, cid, bytes)
  return out
}

/** Collects a CAR in chunks of about 64 KB, because every chunk of a stream has a cost. */
export class CarChunks {
  readonly #size: number
  #buffer: Uint8Array
  #at: number

  /** Starts with the header, which names no root if `root` is missing. */
  constructor(root?: Cid, size = 0x1_0000) {
    const header = carHeader(root)
    this.#size = Math.max(size, header.length)
    this.#buffer = new Uint8Array(this.#size)
    this.#buffer.set(header)
    this.#at = header.length
  }

  /** Adds a block; returns a chunk when one is full. The caller owns the chunk. */
  push(cid: Cid, bytes: Uint8Array): Uint8Array | undefined {
    const length = carBlockLength(bytes.length)
    if (this.#at + length <= this.#buffer.length) {
      this.#at = writeBlock(this.#buffer, this.#at, cid, bytes)
      return undefined
    }
    const full = this.flush()
    // A block larger than a chunk gets a buffer of its own size; the next push sends it.
    this.#buffer = new Uint8Array(Math.max(this.#size, length))
    this.#at = writeBlock(this.#buffer, 0, cid, bytes)
    return full
  }

  /** The last chunk, or undefined when nothing is left. */
  flush(): Uint8Array | undefined {
    if (this.#at === 0) return undefined
    const rest = this.#buffer.subarray(0, this.#at)
    this.#buffer = new Uint8Array(0)
    this.#at = 0
    return rest
  }
}

/** A CAR that is being read: its roots, then its blocks, once, in file order. */
export interface CarReader extends AsyncIterable<Block> {
  /** The roots that the header names. */
  roots(): Promise<ReadonlyArray<Cid>>
}

/** Reads a CAR as it arrives: every digest is verified and every size bounded; throws InvalidCar. */
export const readCar = (
  stream: AsyncIterable<Uint8Array>,
  options: { readonly isLenient?: boolean } = {}
): CarReader => {
  const parser = new CarParser(options)
  // Created on first use: it may start to read at once, and its failure needs a listener.
  let started: AsyncIterator<Uint8Array> | undefined
  const source = () => (started ??= stream[Symbol.asyncIterator]())

  /** Reads another piece; false at the end of a complete file. */
  const more = async (): Promise<boolean> => {
    const next = await source().next().catch(rethrow)
    if (next.done === true) parser.end()
    else parser.push(next.value)
    return next.done !== true
  }

  const roots = async (): Promise<ReadonlyArray<Cid>> => {
    while (parser.roots === undefined) await more()
    return parser.roots
  }

  return {
    roots,
    async *[Symbol.asyncIterator]() {
      await roots()
      do {
        for (let block = parser.next(); block !== undefined; block = parser.next()) {
          yield verified(block)
        }
      } while (await more())
    }
  }
}

/** A copy of a block whose digest matches its CID. */
const verified = ({ cid, bytes }: Block): Block => {
  if (!sameBytes(sha256(bytes), cid.digest)) {
    throw new InvalidCar(`block ${cid} does not match its digest`)
  }
  return { cid: new Cid(cid.bytes.slice()), bytes: bytes.slice() }
}

const rethrow = (error: unknown): never => {
  throw error instanceof InvalidCar ? error : new InvalidCar(String(error))
}
