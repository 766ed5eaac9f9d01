import * as Context from "effect/Context"
import type { NodeReader } from "../../core/repo/mst/loader.ts"
import type { Node } from "../../core/repo/mst/node.ts"
import type { TreeChange } from "../../core/repo/mst/diff.ts"
import type { Tree } from "../../core/repo/mst/Tree.ts"
import type { Overlay, OverlayReading } from "./Overlay.ts"
import type { CarShare } from "./Records.ts"

/**
 * Stores the nodes of an account's tree.
 *
 * Synchronous: `write` runs inside the commit's transaction.
 */
export class BlockStore extends Context.Service<
  BlockStore,
  {
    /** Reads nodes on behalf of the tree. */
    readonly reader: NodeReader
    /**
     * Stores the nodes that only the new tree has and removes those that only the old one has; saves
     * removed rows in the overlay.
     */
    write(change: TreeChange, rev: string, overlay: Overlay): void
    /** Stores a whole tree in an empty store. */
    fill(tree: Tree, rev: string): void
    /** The rev that wrote a cluster with all below it; undefined if its row has changed. */
    revOf(top: Pick<Node, "cid" | "row">): string | undefined
    /** The CAR bytes of the nodes in the rows after this one, at most `limit` rows. */
    carShare(after: number, limit: number): CarShare<number>
    /** Reads nodes as they were when an export started: finds removed rows in the overlay. */
    snapshot(overlay: OverlayReading): NodeReader
  }
>()("nacre/services/BlockStore") {}
