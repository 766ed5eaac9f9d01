import { createHash } from "node:crypto"
import { base32 } from "multiformats/bases/base32"
import { sameBytes } from "../bytes/bytes.ts"

/** Multicodec of a DAG-CBOR block: records, tree nodes, commits. */
export const dagCbor = 0x71

/** Multicodec of a raw block: blobs. */
export const raw = 0x55

/** Length of every CID of the protocol: version, codec, hash, digest length, 32 bytes of SHA-256. */
export const cidLength = 36

const textPattern = /^b[a-z2-7]{58}$/

/** Thrown for a CID that is not version 1 with SHA-256 over DAG-CBOR or raw bytes. */
export class InvalidCid extends Error {
  override readonly name = "InvalidCid"
}

/** A content identifier, held as its 36 bytes; its text is computed on first use and kept. */
export class Cid {
  readonly bytes: Uint8Array
  #text: string | undefined
  #key: string | undefined

  /** Does not check the bytes; `Cid.fromBytes` does. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** The CID with these bytes; throws InvalidCid. */
  static fromBytes(bytes: Uint8Array): Cid {
    if (!isCidAt(bytes, 0) || bytes.length !== cidLength) throw new InvalidCid("not a CID")
    return new Cid(bytes)
  }

  /** The multicodec of the block: 0x71 for DAG-CBOR, 0x55 for raw. */
  get codec(): number {
    return this.bytes[1]!
  }

  /** The 32 bytes of the SHA-256 digest, as a view. */
  get digest(): Uint8Array {
    return this.bytes.subarray(4)
  }

  /**
   * A string that is equal for equal CIDs and cheap to create; a key for Map and Set, not for
   * people.
   */
  get key(): string {
    return (this.#key ??= String.fromCharCode.apply(null, this.bytes as unknown as number[]))
  }

  equals(other: Cid): boolean {
    if (this === other) return true
    return sameBytes(this.bytes, other.bytes)
  }

  /** The base32 text, `b…`. */
  toString(): string {
    return (this.#text ??= base32.encode(this.bytes))
  }

  /** Same as toString, for readable logs. */
  toJSON(): string {
    return this.toString()
  }
}

/** Whether a 36-byte CID starts at `offset`; every digest is valid. */
export const isCidAt = (bytes: Uint8Array, offset: number): boolean =>
  offset + cidLength <= bytes.length &&
  bytes[offset] === 1 &&
  (bytes[offset + 1] === dagCbor || bytes[offset + 1] === raw) &&
  bytes[offset + 2] === 0x12 &&
  bytes[offset + 3] === 0x20

/** Parses a CID strictly: version 1, lower-case base32, SHA-256; throws InvalidCid. */
export const parseCid = (text: string): Cid => {
  // The library's base32 also accepts upper case.
  if (!textPattern.test(text)) throw new InvalidCid("not the text of a CID")
  let bytes: Uint8Array
  try {
    bytes = base32.decode(text)
  } catch {
    throw new InvalidCid("not the text of a CID")
  }
  return Cid.fromBytes(bytes)
}

/** The CID for a known digest; throws InvalidCid unless it has 32 bytes. */
export const cidFromDigest = (codec: typeof dagCbor | typeof raw, digest: Uint8Array): Cid => {
  if (digest.length !== 32) throw new InvalidCid("not a SHA-256 digest")
  const bytes = new Uint8Array(cidLength)
  bytes[0] = 1
  bytes[1] = codec
  bytes[2] = 0x12
  bytes[3] = 0x20
  bytes.set(digest, 4)
  return new Cid(bytes)
}

export const sha256 = (data: Uint8Array | string): Uint8Array =>
  createHash("sha256").update(data).digest()

/** The CID of a DAG-CBOR block. */
export const cidForCbor = (block: Uint8Array): Cid => cidFromDigest(dagCbor, sha256(block))

/** The CID of a raw block. */
export const cidForRaw = (block: Uint8Array): Cid => cidFromDigest(raw, sha256(block))
