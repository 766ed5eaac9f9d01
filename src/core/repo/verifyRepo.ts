import { verifyBytes } from "../identity/didKey.ts"
import { type Block, InvalidCar, readCar } from "./car.ts"
import { type LooseData, readStoredRecord } from "./cborLoose.ts"
import type { Cid } from "./cid.ts"
import { decodeForeignCommit } from "./commit.ts"
import { preOrder } from "./mst/preOrder.ts"
import { Tree } from "./mst/Tree.ts"

/** Thrown for a repo of another account, with a wrong signature, or with missing blocks. */
export class InvalidRepo extends Error {
  override readonly name = "InvalidRepo"
}

/** A file's bytes, as a whole or as a stream. */
export type ByteSource = Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>

/** A record of a verified repo. */
export interface RepoRecord {
  /** `collection/rkey` */
  readonly path: string
  readonly collection: string
  readonly rkey: string
  readonly cid: Cid
  /** The record's block: DAG-CBOR. */
  readonly bytes: Uint8Array
  /** Decodes the record's fields. */
  value(): { readonly [key: string]: LooseData }
}

/** A verified repo. */
export interface VerifiedRepo {
  readonly did: string
  /** Missing in some commits from before 2023. */
  readonly rev: string | undefined
  readonly commit: Cid
  /** The tree's root. */
  readonly data: Cid
  /** Every record by path, in the tree's order. */
  readonly records: ReadonlyMap<string, RepoRecord>
}

/** Iterates over any source of bytes; some browsers cannot iterate over a stream. */
export async function* piecesOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    yield source
    return
  }
  if (!("getReader" in source)) {
    yield* source
    return
  }
  const reader = source.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    await reader.cancel().catch(() => {})
  }
}

const recordOf = (path: string, { cid, bytes }: Block): RepoRecord => {
  const [collection = "", rkey = ""] = path.split("/")
  return { path, collection, rkey, cid, bytes, value: () => readStoredRecord(bytes).fields }
}

/**
 * Verifies a whole repo, the response of `com.atproto.sync.getRepo`, and returns its records.
 *
 * Checks every digest, the tree's form and that no record is missing; the account where `did` is given; the signature
 * where `signingKey`, the did:key of the account's document, is given. Throws InvalidRepo, InvalidCar, InvalidCommit,
 * InvalidNode or MissingBlock.
 *
 * @example
 * const response = await fetch(`${pds}/xrpc/com.atproto.sync.getRepo?did=${did}`)
 * const { rev, records } = await verifyRepo(response.body!, { did, signingKey })
 */
export const verifyRepo = async (
  car: ByteSource,
  expected: { readonly did?: string; readonly signingKey?: string } = {}
): Promise<VerifiedRepo> => {
  const reader = readCar(piecesOf(car), { isLenient: true })
  const blocks = new Map<string, Block>()
  for await (const block of reader) blocks.set(block.cid.key, block)
  const [root] = await reader.roots()
  const head = root === undefined ? undefined : blocks.get(root.key)
  if (root === undefined || head === undefined) throw new InvalidCar("the commit is missing")
  const { did, data, rev, sig, unsigned } = decodeForeignCommit(head.bytes)
  if (expected.did !== undefined && did !== expected.did) {
    throw new InvalidRepo(`the repo is of ${did}, not of ${expected.did}`)
  }
  if (expected.signingKey !== undefined && !verifyBytes(expected.signingKey, unsigned, sig)) {
    throw new InvalidRepo("the commit is not signed by the account's key")
  }
  const read = ({ key }: Cid) => {
    const node = blocks.get(key)
    return node === undefined ? undefined : { blocks: [node.bytes] }
  }
  const records = new Map<string, RepoRecord>()
  for (const step of preOrder(Tree.load({ read }, data, { verify: true }))) {
    if (step.kind !== "record") continue
    const block = blocks.get(step.cid.key)
    if (block === undefined) throw new InvalidRepo(`the record ${step.key} is missing`)
    records.set(step.key, recordOf(step.key, block))
  }
  return { did, rev, commit: root, data, records }
}
