import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Block } from "../repo/car.ts"
import type { Cid } from "../repo/cid.ts"
import { preOrder } from "../repo/mst/preOrder.ts"
import { Records } from "./Records.ts"
import { Repo } from "./Repo.ts"

/** The repo has no such block, or the search for it came to its bound. */
export class BlockNotFound extends Schema.TaggedError<BlockNotFound>()("BlockNotFound", {
  cids: Schema.Array(Schema.String)
}) {}

/** So many CIDs may be asked for at once. */
const maxCids = 100

/** Tree nodes and records looked through before the search gives up, and between two pauses for others. */
const bound = 500_000
const stride = 2000

/**
 * The blocks of a repo with these CIDs: the commit, tree nodes, records.
 *
 * Neither inner nodes nor records are indexed by CID (an index would bill a row with every write), so
 * the tree is walked, in strides which let other requests in between.
 */
export const findBlocks = Effect.fn("findBlocks")(function* (cids: ReadonlyArray<Cid>) {
  const wanted = new Map(cids.map((cid) => [cid.key, cid]))
  const refused = () => new BlockNotFound({ cids: [...wanted.values()].map(String) })
  if (cids.length > maxCids) return yield* refused()
  const records = yield* Records
  const snapshot = yield* (yield* Repo).snapshot
  return yield* Effect.gen(function* () {
    const found: Array<Block> = []
    const take = (cid: Cid, bytes: Uint8Array) => {
      if (wanted.delete(cid.key)) found.push({ cid, bytes })
    }
    const { head, tree, overlay } = snapshot
    take(head.commit, head.block)
    let visited = 0
    for (const item of wanted.size === 0 ? [] : preOrder(tree)) {
      if (wanted.has(item.cid.key)) {
        const bytes =
          item.kind === "node"
            ? item.bytes
            : (current(records.get(item.key), item.cid) ?? overlay.get(item.cid.key))
        if (bytes !== undefined) take(item.cid, bytes)
        if (wanted.size === 0) break
      }
      if (++visited > bound) return yield* refused()
      if (visited % stride === 0) yield* Effect.yieldNow
    }
    return wanted.size === 0 ? found : yield* refused()
  }).pipe(Effect.ensuring(Effect.sync(() => snapshot.close())))
})

/** A stored record's block, if it is still the one that is wanted. */
const current = (
  row: { readonly cid: Cid; readonly value: Uint8Array } | undefined,
  cid: Cid
): Uint8Array | undefined => (row !== undefined && row.cid.equals(cid) ? row.value : undefined)
