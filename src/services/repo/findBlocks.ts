import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Block, carBlockLength, CarChunks, carHeader } from "../../core/repo/car.ts"
import type { Cid } from "../../core/repo/cid.ts"
import { preOrder } from "../../core/repo/mst/preOrder.ts"
import type { ExportBody } from "./exportStream.ts"
import { Records } from "./Records.ts"
import { Repo } from "./Repo.ts"

/** The repo has no such block, or the search reached its limit. */
export class BlockNotFound extends Schema.TaggedError<BlockNotFound>()("BlockNotFound", {
  cids: Schema.Array(Schema.String)
}) {}

/** Nodes and records that a search may visit, and between two pauses for other requests. */
const bound = 500_000
const stride = 2000

/** A record that was found, and its path. */
interface Place {
  readonly cid: Cid
  readonly path: string
  readonly length: number
}

/**
 * Finds blocks of a repo (commit, tree nodes, records) by CID and returns them as a CAR without a
 * root, read one by one because many records do not fit into memory together.
 *
 * An index by CID would bill a row with every write, so this walks the tree, in strides that let
 * other requests run.
 */
export const findBlocks = Effect.fn("findBlocks")(function* (cids: ReadonlyArray<Cid>) {
  const records = yield* Records
  const snapshot = yield* (yield* Repo).snapshot
  const { head, tree, overlay, close } = snapshot
  const wanted = new Map(cids.map((cid) => [cid.key, cid]))
  const found: Array<Block | Place> = []
  const missing = (path: string) => new Error(`record block missing: ${path}`)
  const placeOf = ({ cid, key: path }: { readonly cid: Cid; readonly key: string }): Place => {
    const [row] = records.sizesFrom(path, 1)
    const isUnchanged = row?.path === path && row.cid.equals(cid)
    const length = isUnchanged ? row.length : overlay.get(cid.key)?.length
    if (length === undefined) throw missing(path)
    return { cid, path, length }
  }
  const search = Effect.gen(function* () {
    if (wanted.delete(head.commit.key)) found.push({ cid: head.commit, bytes: head.block })
    let visited = 0
    for (const item of wanted.size === 0 ? [] : preOrder(tree)) {
      if (wanted.delete(item.cid.key)) {
        found.push(item.kind === "node" ? item : placeOf(item))
      }
      if (wanted.size === 0 || ++visited > bound) break
      if (visited % stride === 0) yield* Effect.yieldNow
    }
    if (wanted.size > 0) return yield* new BlockNotFound({ cids: [...wanted.values()].map(String) })
  })
  yield* Effect.onError(search, () => Effect.sync(close))

  const bytesOf = (block: Block | Place): Uint8Array => {
    if ("bytes" in block) return block.bytes
    const row = records.get(block.path)
    const bytes = row?.cid.equals(block.cid) === true ? row.value : overlay.get(block.cid.key)
    if (bytes === undefined) throw missing(block.path)
    return bytes
  }
  let length = carHeader().length
  for (const block of found) {
    length += carBlockLength("bytes" in block ? block.bytes.length : block.length)
  }
  return { length, chunks: carChunks(found, bytesOf), close } satisfies ExportBody
})

function* carChunks<A extends { readonly cid: Cid }>(
  blocks: Iterable<A>,
  bytesOf: (block: A) => Uint8Array
): Generator<Uint8Array> {
  const chunks = new CarChunks()
  for (const block of blocks) {
    const full = chunks.push(block.cid, bytesOf(block))
    if (full !== undefined) yield full
  }
  const rest = chunks.flush()
  if (rest !== undefined) yield rest
}
