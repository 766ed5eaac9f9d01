import { Secp256k1Keypair } from "@atproto/crypto"
import { type Block, carBytes } from "../../../src/core/repo/car.ts"
import { type Data, encode } from "../../../src/core/repo/cbor.ts"
import { type Cid, cidForCbor } from "../../../src/core/repo/cid.ts"
import { signedCommit, unsignedCommitBytes } from "../../../src/core/repo/commit.ts"
import { preOrder } from "../../../src/core/repo/mst/preOrder.ts"
import { Tree } from "../../../src/core/repo/mst/Tree.ts"
import { tidFromMicros } from "../../../src/core/repo/tid.ts"

/** Records by path. */
export type RecordsByPath = ReadonlyMap<string, { readonly [key: string]: Data }>

/** A repo from another server, in parts that a test may alter before it packs them. */
export interface ForeignRepo {
  readonly commit: Block
  readonly nodes: ReadonlyArray<Block>
  readonly records: ReadonlyArray<Block>
  readonly tree: Tree
}

/** The contents of a foreign repo's commit; the rest has valid defaults. */
export interface Said {
  readonly did: string
  readonly rev?: string
  /** The tree's root, if it isn't the records' own. */
  readonly data?: Cid
}

/** A new key of another server. */
export const newKey = (): Promise<Secp256k1Keypair> => Secp256k1Keypair.create()

/** The block of a signed commit. */
export const commitOf = async (
  key: Secp256k1Keypair,
  unsigned: { readonly did: string; readonly rev: string; readonly data: Cid }
): Promise<Block> =>
  signedCommit({ ...unsigned, sig: await key.sign(unsignedCommitBytes(unsigned)) })

/** The block of a value. */
export const blockOf = (value: Data): Block => {
  const bytes = encode(value)
  return { cid: cidForCbor(bytes), bytes }
}

/** A commit block with any fields, signed over all of them. */
export const commitWith = async (
  key: Secp256k1Keypair,
  fields: { readonly [key: string]: Data }
): Promise<Block> => blockOf({ ...fields, sig: await key.sign(encode(fields)) })

/** The repo of these records. */
export const foreignRepo = (
  key: Secp256k1Keypair,
  records: RecordsByPath,
  said: Said
): Promise<ForeignRepo> =>
  foreignRepoOf(key, new Map([...records].map(([path, record]) => [path, blockOf(record)])), said)

/** A repo with these blocks by path, whatever they hold. */
export const foreignRepoOf = async (
  key: Secp256k1Keypair,
  blocks: ReadonlyMap<string, Block>,
  { did, rev = "3kabcdefghijk", data }: Said
): Promise<ForeignRepo> => {
  const paths = [...blocks.keys()].toSorted()
  const tree = Tree.build(paths.map((path) => [path, blocks.get(path)!.cid] as const))
  const nodes = [...preOrder(tree)].flatMap((step) =>
    step.kind === "node" ? [{ cid: step.cid, bytes: step.bytes }] : []
  )
  const commit = await commitOf(key, { did, rev, data: data ?? tree.root() })
  return { commit, nodes, records: paths.map((path) => blocks.get(path)!), tree }
}

/** The CAR of a foreign repo: commit, nodes, records, or in the given order. */
export const carOf = (
  { commit, nodes, records }: ForeignRepo,
  order: (blocks: ReadonlyArray<Block>) => ReadonlyArray<Block> = (blocks) => blocks
): Uint8Array<ArrayBuffer> =>
  new Uint8Array(carBytes(commit.cid, order([commit, ...nodes, ...records])))

/** This many posts under ascending keys. */
export const posts = (
  count: number,
  text = "post"
): Map<string, { readonly [key: string]: Data }> =>
  new Map(
    Array.from({ length: count }, (_, n) => [
      `app.bsky.feed.post/${tidFromMicros(1_700_000_000_000_000 + n * 1_000_000, 0)}`,
      {
        $type: "app.bsky.feed.post",
        text: `${text} ${n}`,
        createdAt: "2024-01-01T00:00:00.000Z"
      }
    ])
  )
