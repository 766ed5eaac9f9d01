import { asyncIterableReader, createDecoder } from "@ipld/car/decoder"
import { sameBytes } from "./bytes.ts"
import { Cid, cidLength, InvalidCid, sha256 } from "./cid.ts"
import { encode } from "./cbor.ts"
import { maxCarBlock, maxCarHeader } from "./limits.ts"

/** A block with its name. */
export interface Block {
  readonly cid: Cid
  readonly bytes: Uint8Array
}

/** Thrown for bytes that are not a CAR of version 1, or hold a block that its CID does not name. */
export class InvalidCar extends Error {
  override readonly name = "InvalidCar"
}

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

/** Bytes that a block takes in a CAR. */
const carBlockLength = (bytes: Uint8Array): number =>
  varintLength(cidLength + bytes.length) + cidLength + bytes.length

const writeBlock = (buffer: Uint8Array, at: number, cid: Cid, bytes: Uint8Array): number => {
  at = writeVarint(buffer, at, cidLength + bytes.length)
  buffer.set(cid.bytes, at)
  buffer.set(bytes, at + cidLength)
  return at + cidLength + bytes.length
}

/** The header of a CAR with one root, or with none. */
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
  for (const { bytes } of list) length += carBlockLength(bytes)
  const out = new Uint8Array(length)
  out.set(header)
  let at = header.length
  for (const { cid, bytes } of list) at = writeBlock(out, at, cid, bytes)
  return out
}

/** Gathers a CAR into chunks of about 64 KB, because each chunk of a stream has its price. */
export class CarChunks {
  readonly #size: number
  #buffer: Uint8Array
  #at: number

  /** Begins with the header; without `root` the header names none. */
  constructor(root?: Cid, size = 0x1_0000) {
    const header = carHeader(root)
    this.#size = Math.max(size, header.length)
    this.#buffer = new Uint8Array(this.#size)
    this.#buffer.set(header)
    this.#at = header.length
  }

  /** Adds a block; returns a chunk when one is full. The chunk is the receiver's. */
  push(cid: Cid, bytes: Uint8Array): Uint8Array | undefined {
    const length = carBlockLength(bytes)
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

/** A CAR being read: its roots, then its blocks, once, in the order of the file. */
export interface CarReader extends AsyncIterable<Block> {
  /** The roots that the header names. */
  roots(): Promise<ReadonlyArray<Cid>>
}

/** Reads a CAR as it arrives: every digest is verified and every size bounded; throws InvalidCar. */
export const readCar = (stream: AsyncIterable<Uint8Array>): CarReader => {
  // Made when first asked for: it begins to read at once, and its failure must find a listener.
  let started: ReturnType<typeof createDecoder> | undefined
  const decoder = () => (started ??= createDecoder(boundedReader(stream)))
  return {
    async roots() {
      const header = await decoder().header().catch(rethrow)
      if (header.version !== 1) throw new InvalidCar("not version 1")
      return header.roots.map(({ bytes }) => readCid(bytes))
    },
    async *[Symbol.asyncIterator]() {
      await this.roots()
      const blocks = decoder().blocks()[Symbol.asyncIterator]()
      while (true) {
        const next = await blocks.next().catch(rethrow)
        if (next.done === true) return
        const cid = readCid(next.value.cid.bytes)
        // A copy: the decoder's bytes are a view that would keep its whole chunk alive.
        const bytes = next.value.bytes.slice()
        if (!sameBytes(sha256(bytes), cid.digest)) {
          throw new InvalidCar(`block ${cid} does not match its digest`)
        }
        yield { cid, bytes }
      }
    }
  }
}

const rethrow = (error: unknown): never => {
  throw error instanceof InvalidCar ? error : new InvalidCar(String(error))
}

const readCid = (bytes: Uint8Array): Cid => {
  try {
    return Cid.fromBytes(bytes)
  } catch (error) {
    if (error instanceof InvalidCid) throw new InvalidCar("a block with a foreign kind of CID")
    throw error
  }
}

/** The library's reader would gather whatever length a file claims, and skip wherever version 2 points. */
const boundedReader = (
  stream: AsyncIterable<Uint8Array>
): ReturnType<typeof asyncIterableReader> => {
  const reader = asyncIterableReader(stream)
  let limit = maxCarHeader
  let headerRead = false
  return {
    upTo: (length) => reader.upTo(length),
    exactly: async (length, seek) => {
      if (length > limit || length < 0) throw new InvalidCar(`${length} bytes are too many`)
      const bytes = await reader.exactly(length, seek)
      if (!headerRead && seek === true) {
        headerRead = true
        limit = maxCarBlock
      }
      return bytes
    },
    seek: (length) => {
      if (length > 16) throw new InvalidCar("not version 1")
      reader.seek(length)
    },
    get pos() {
      return reader.pos
    }
  }
}
