import type { Data } from "./cbor.ts"
import { encode, InvalidCbor } from "./cbor.ts"
import { decode } from "./cborDecode.ts"
import { Cid, cidForCbor, dagCbor } from "./cid.ts"
import { isMap } from "./json.ts"
import { isTid } from "./tid.ts"

/** A commit before signing: the tree's root at one rev of one account's repo. */
export interface UnsignedCommit {
  readonly did: string
  readonly data: Cid
  readonly rev: string
  /** Null in all commits signed here; old repos may hold a link, which their signatures cover. */
  readonly prev?: Cid | null
}

/** A commit with the signature over its unsigned bytes. */
export interface Commit {
  readonly did: string
  readonly version: 3
  readonly data: Cid
  readonly rev: string
  readonly prev: Cid | null
  readonly sig: Uint8Array
}

/** Thrown for a block that is not a commit of version 3. */
export class InvalidCommit extends Error {
  override readonly name = "InvalidCommit"
}

/** The bytes that the signature covers. */
export const unsignedCommitBytes = ({ did, data, rev, prev = null }: UnsignedCommit): Uint8Array =>
  encode({ did, rev, data, prev, version: 3 })

/** The commit block and its CID. */
export const signedCommit = ({
  did,
  data,
  rev,
  prev = null,
  sig
}: UnsignedCommit & { readonly sig: Uint8Array }): { cid: Cid; bytes: Uint8Array } => {
  const bytes = encode({ did, rev, sig, data, prev, version: 3 })
  return { cid: cidForCbor(bytes), bytes }
}

/** Parses a commit block strictly; throws InvalidCommit. Does not verify the signature. */
export const decodeCommit = (bytes: Uint8Array): Commit => {
  const fields = decodeMap(bytes)
  const { did, version, data, rev, prev, sig } = fields
  // Rebuilding the signed bytes would lose an unknown field.
  if (Object.keys(fields).length !== 6) throw new InvalidCommit("not the fields of a commit")
  if (version !== 3) throw new InvalidCommit("not version 3")
  if (typeof did !== "string" || !did.startsWith("did:")) throw new InvalidCommit("no did")
  if (!(data instanceof Cid) || data.codec !== dagCbor) throw new InvalidCommit("no data")
  if (typeof rev !== "string" || !isTid(rev)) throw new InvalidCommit("no rev")
  if (prev !== null && !(prev instanceof Cid)) throw new InvalidCommit("no prev")
  if (!(sig instanceof Uint8Array)) throw new InvalidCommit("no sig")
  return { did, version, data, rev, prev, sig }
}

/** A commit of version 2 or 3 from another server. */
export interface ForeignCommit {
  readonly did: string
  readonly data: Cid
  /** Missing in some commits of version 2. */
  readonly rev: string | undefined
  readonly sig: Uint8Array
  /** The bytes that the signature covers: every field except `sig`. */
  readonly unsigned: Uint8Array
}

/**
 * Parses a commit block from another server or an earlier version; throws InvalidCommit. Does not
 * verify the signature.
 */
export const decodeForeignCommit = (bytes: Uint8Array): ForeignCommit => {
  const { sig, ...fields } = decodeMap(bytes)
  const { did, version, data, rev, prev } = fields
  if (!Object.hasOwn(fields, "did") || !Object.hasOwn(fields, "version")) {
    throw new InvalidCommit("not the fields of a commit")
  }
  if (version !== 2 && version !== 3) throw new InvalidCommit("not version 2 or 3")
  if (typeof did !== "string" || !did.startsWith("did:")) throw new InvalidCommit("no did")
  if (!(data instanceof Cid) || data.codec !== dagCbor) throw new InvalidCommit("no data")
  const hasRev = typeof rev === "string" && isTid(rev)
  if (!hasRev && !(version === 2 && (rev === undefined || rev === null))) {
    throw new InvalidCommit("no rev")
  }
  if (prev !== undefined && prev !== null && !(prev instanceof Cid)) {
    throw new InvalidCommit("no prev")
  }
  if (!(sig instanceof Uint8Array)) throw new InvalidCommit("no sig")
  return { did, data, rev: hasRev ? rev : undefined, sig, unsigned: encode(fields) }
}

const decodeMap = (bytes: Uint8Array): { [key: string]: Data } => {
  let value: Data
  try {
    value = decode(bytes)
  } catch (error) {
    if (error instanceof InvalidCbor) throw new InvalidCommit(error.message)
    throw error
  }
  if (!isMap(value)) throw new InvalidCommit("not a map")
  return value
}
