import * as Context from "effect/Context"
import type { NodeReader } from "../../core/repo/mst/loader.ts"
import type { Tree } from "../../core/repo/mst/Tree.ts"
import type { Overlay, OverlayReading } from "./Overlay.ts"
import type { CarShare } from "./Records.ts"

/**
 * Where the nodes of an account's tree are kept.
 *
 * Synchronous: `write` runs inside the commit's transaction.
 */
export class BlockStore extends Context.Service<
  BlockStore,
  {
    /** Reads nodes, as the tree asks for them. */
    readonly reader: NodeReader
    /** Stores what `after` has and `before` had not, and removes the reverse; saves removed rows in the overlay. */
    write(before: Tree, after: Tree, rev: string, overlay: Overlay): void
    /** Stores a whole tree, into an empty store. */
    fill(tree: Tree, rev: string): void
    /** What the nodes of the rows after this one take in a CAR, at most `limit` rows of them. */
    carShare(after: number, limit: number): CarShare<number>
    /** Reads nodes as they were when an export began: a row that has gone since is found in the overlay. */
    snapshot(overlay: OverlayReading): NodeReader
  }
>()("nacre/services/BlockStore") {}
