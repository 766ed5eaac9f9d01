import { verifyBytes } from "../identity/didKey.ts"
import { type Block, readCar } from "./car.ts"
import type { Data } from "./cbor.ts"
import { decode } from "./cborDecode.ts"
import type { Cid } from "./cid.ts"
import { decodeCommit, unsignedCommitBytes } from "./commit.ts"
import { Tree } from "./mst/Tree.ts"

/** Thrown for a proof that is for another account, has a wrong signature, or lacks a block. */
export class InvalidProof extends Error {
  override readonly name = "InvalidProof"
}

/** What a proof must prove. */
export interface ProofOf {
  readonly did: string
  /** The did:key of the account's signing key. */
  readonly signingKey: string
  /** `collection/rkey` */
  readonly path: string
}

const blocksOf = async (car: Uint8Array) => {
  const reader = readCar(
    (async function* () {
      yield car
    })()
  )
  const [root] = await reader.roots()
  const blocks = new Map<string, Block>()
  for await (const block of reader) blocks.set(block.cid.toString(), block)
  return { root, blocks }
}

/**
 * Reads the CAR of `com.atproto.sync.getRecord`: the record, or undefined if the account has none
 * at this path.
 *
 * Checks the commit, the signature, the path through the tree and every digest; throws if any of
 * them is wrong.
 */
export const readRecordProof = async (
  car: Uint8Array,
  { did, signingKey, path }: ProofOf
): Promise<Data | undefined> => {
  const { root, blocks } = await blocksOf(car)
  const bytesOf = (cid: Cid | undefined): Uint8Array => {
    const block = cid === undefined ? undefined : blocks.get(cid.toString())
    if (block === undefined) throw new InvalidProof(`block ${cid ?? "of the root"} is missing`)
    return block.bytes
  }
  const commit = decodeCommit(bytesOf(root))
  if (commit.did !== did) throw new InvalidProof("the commit is another account's")
  if (!verifyBytes(signingKey, unsignedCommitBytes(commit), commit.sig)) {
    throw new InvalidProof("the commit's signature is not the account's")
  }
  const tree = Tree.load({ read: (cid) => ({ blocks: [bytesOf(cid)] }) }, commit.data, {
    verify: true
  })
  const record = tree.get(path)
  return record === undefined ? undefined : decode(bytesOf(record))
}
