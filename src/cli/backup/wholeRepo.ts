import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { blobCids } from "../../core/lexicon/Lexicons.ts"
import { sameBytes } from "../../core/bytes/bytes.ts"
import type { Block } from "../../core/repo/car.ts"
import { CarParser, InvalidCar } from "../../core/repo/carParser.ts"
import { readStoredRecord } from "../../core/repo/cborLoose.ts"
import { type Cid, sha256 } from "../../core/repo/cid.ts"
import { decodeForeignCommit, type ForeignCommit } from "../../core/repo/commit.ts"
import { Leaves } from "../../core/repo/import/Leaves.ts"
import { looksLikeNode } from "../../core/repo/import/NodePile.ts"
import { preOrder } from "../../core/repo/mst/preOrder.ts"
import { Tree } from "../../core/repo/mst/Tree.ts"
import { type CidText, isCidText } from "../answers.ts"
import { Failed } from "../failure.ts"

/** The content of a CAR with every node and record of its repo. */
export interface WholeRepo {
  readonly commit: ForeignCommit
  /** The number of records. */
  readonly records: number
  /** The blobs that the records reference. */
  readonly blobs: ReadonlySet<CidText>
}

const trying = <A>(step: () => A) =>
  Effect.try({
    try: step,
    catch: (error) =>
      new Failed({ message: error instanceof Error ? error.message : String(error) })
  })

const assertNamed = ({ cid, bytes }: Block): void => {
  if (!sameBytes(sha256(bytes), cid.digest)) {
    throw new InvalidCar(`the bytes of block ${cid} don't match its CID`)
  }
}

/**
 * Reads a CAR, checks each block's digest, and returns the root. A caller must copy a block to keep
 * it.
 */
const eachBlock = Effect.fnUntraced(function* (
  file: string,
  take: (block: Block, root: Cid | undefined) => void
) {
  const files = yield* FileSystem.FileSystem
  const parser = new CarParser({ isLenient: true })
  yield* files.stream(file, { chunkSize: 0x1_0000 }).pipe(
    Stream.mapError(({ message }) => new Failed({ message })),
    Stream.runForEach((piece) =>
      trying(() => {
        parser.push(piece)
        const root = parser.roots?.[0]
        for (let block = parser.next(); block !== undefined; block = parser.next()) {
          assertNamed(block)
          take(block, root)
        }
      })
    )
  )
  yield* trying(() => parser.end())
})

const readTree = Effect.fnUntraced(function* (file: string) {
  const nodes = new Map<string, Uint8Array>()
  let commit: ForeignCommit | undefined
  yield* eachBlock(file, ({ cid, bytes }, root) => {
    if (root !== undefined && cid.equals(root)) commit = decodeForeignCommit(bytes.slice())
    else if (looksLikeNode(bytes)) nodes.set(cid.key, bytes.slice())
  })
  return commit === undefined
    ? yield* new Failed({ message: "its commit is missing" })
    : { commit, nodes }
})

const leavesOf = ({ data }: ForeignCommit, nodes: ReadonlyMap<string, Uint8Array>): Leaves => {
  const found = (bytes: Uint8Array | undefined) =>
    bytes === undefined ? undefined : { blocks: [bytes] }
  const tree = Tree.load({ read: ({ key }) => found(nodes.get(key)) }, data)
  const leaves = new Leaves()
  for (const step of preOrder(tree)) if (step.kind === "record") leaves.add(step.key, step.cid)
  return leaves
}

/** Walks a repo from its root through a CAR, which is read twice; only the tree is in memory. */
export const readWholeRepo = Effect.fn("cli.readWholeRepo")(function* (file: string) {
  const { commit, nodes } = yield* readTree(file)
  const leaves = yield* trying(() => leavesOf(commit, nodes))
  const blobs = new Set<CidText>()
  yield* eachBlock(file, ({ cid, bytes }) => {
    const [path] = [...leaves.take(cid)]
    if (path === undefined) return
    for (const blob of blobCids(readStoredRecord(bytes).fields)) {
      if (isCidText(blob)) blobs.add(blob)
    }
  })
  const missing = leaves.missing()
  if (missing !== undefined) {
    return yield* new Failed({ message: `record ${missing} is missing` })
  }
  return { commit, records: leaves.count, blobs } satisfies WholeRepo
})
