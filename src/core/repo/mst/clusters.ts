import type { Block } from "../car.ts"
import type { Cid } from "../cid.ts"
import { encodeCluster } from "./clusterCodec.ts"
import type { TreeChange } from "./diff.ts"
import { clusterParts, isClusterTop, MissingBlock, rootRow } from "./loader.ts"
import type { Node } from "./node.ts"
import type { Tree } from "./Tree.ts"

/** A stored cluster: its top's CID, its nodes, its row, and the rows of the clusters below. */
export interface Cluster extends Block {
  readonly row: number
  readonly below: ReadonlyArray<number>
}

/** A cluster to write, into an existing or a new row. */
export interface WrittenCluster extends Cluster {
  readonly isNew: boolean
}

/** A cluster to remove, and its row. */
export interface RemovedCluster {
  readonly cid: Cid
  readonly row: number
}

/** How a store numbers its rows. */
export interface RowNumbers {
  /** An unused number. */
  next(): number
  /** The row of a stored cluster, for a tree whose changes lost track of it. */
  find(cid: Cid): number | undefined
}

/**
 * The changes that turn a store of one tree's clusters into a store of another's.
 *
 * A new cluster takes the row of a removed one if possible, so the store writes in place and
 * unchanged rows stay where they are. The root's row never changes.
 */
export const clusterDiff = (
  { before, after, created, removed }: TreeChange,
  numbers: RowNumbers
): {
  removed: Array<RemovedCluster>
  written: Array<WrittenCluster>
  /** Rows that become empty. */
  freed: Array<number>
} => {
  if (before.root().equals(after.root())) return { removed: [], written: [], freed: [] }
  before.rootNode.row = rootRow
  const goes = tops(removed, before.rootNode)
  const comes = tops(created, after.rootNode)
  // An old root that remains below the new one needs a row of its own.
  if (isClusterTop(before.layer) && !removed.includes(before.rootNode)) comes.push(before.rootNode)
  if (isClusterTop(after.layer) && !created.includes(after.rootNode)) goes.push(after.rootNode)

  const rowOf = (node: Node): number => {
    // An old node that becomes the root already has its new row: the store would return the old
    // one.
    node.row ??= node.cid!.equals(before.root()) ? before.rootNode.row : numbers.find(node.cid!)
    if (node.row === undefined) throw new MissingBlock(node.cid!)
    return node.row
  }
  const old = goes.map((node) => ({ node, cid: node.cid!, row: rowOf(node) }))
  const pairs = pair(old, comes)
  // Not for the new root: it may be an old node, which keeps its row if the store rolls back.
  for (const node of comes.slice(1)) node.row = pairs.get(node) ?? numbers.next()
  const taken = new Set(pairs.values())
  return {
    removed: old.map(({ cid, row }) => ({ cid, row })),
    written: comes.map((node) => {
      const { blocks, rows } = clusterParts(after.loader, node, rowOf)
      const bytes = encodeCluster(blocks)
      const row = pairs.get(node) ?? node.row!
      return { cid: node.cid!, bytes, row, below: rows, isNew: !pairs.has(node) }
    }),
    freed: old.filter(({ row }) => !taken.has(row)).map(({ row }) => row)
  }
}

/** The changed nodes that start clusters; the root comes first and starts one at any layer. */
const tops = (changed: ReadonlyArray<Node>, root: Node): Array<Node> => [
  root,
  ...changed.filter((node) => node !== root && isClusterTop(node.layer))
]

/**
 * Rows for the new clusters: the root's for the root, then rows of the same layer, which hold about
 * as much.
 */
const pair = (
  goes: ReadonlyArray<{ readonly node: Node; readonly row: number }>,
  comes: ReadonlyArray<Node>
): Map<Node, number> => {
  const pairs = new Map<Node, number>([[comes[0]!, goes[0]!.row]])
  const free = new Set(goes.slice(1))
  const take = (node: Node, fits: (layer: number) => boolean): void => {
    if (pairs.has(node)) return
    for (const candidate of free) {
      if (!fits(candidate.node.layer)) continue
      free.delete(candidate)
      pairs.set(node, candidate.row)
      return
    }
  }
  for (const node of comes) take(node, (layer) => layer === node.layer)
  for (const node of comes) take(node, () => true)
  return pairs
}

/** All clusters of a tree, root first, one at a time, numbered from the root's row. */
export function* allClusters(tree: Tree): Generator<Cluster> {
  tree.root()
  const { loader, rootNode } = tree
  let last = rootRow
  const waiting = [{ top: rootNode, row: last }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { top, row } = next
    const tops: Array<Node> = []
    const { blocks, rows } = clusterParts(loader, top, () => ++last, tops)
    yield { cid: top.cid!, bytes: encodeCluster(blocks), row, below: rows }
    for (let i = tops.length - 1; i >= 0; i--) waiting.push({ top: tops[i]!, row: rows[i]! })
  }
}
