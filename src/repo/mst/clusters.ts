import type { Block } from "../car.ts"
import type { Cid } from "../cid.ts"
import { encodeCluster } from "./clusterCodec.ts"
import { changedNodes } from "./diff.ts"
import type { Loader } from "./loader.ts"
import { clusterNodes, isClusterTop } from "./loader.ts"
import type { Node } from "./node.ts"
import type { Tree } from "./Tree.ts"

/** A cluster to be stored, and the stored one whose place it takes, if any. */
export interface WrittenCluster extends Block {
  readonly replaces?: Cid
}

/**
 * The stored clusters that one tree has and the other has not. Each written one names a removed one
 * to take the place of, as far as there are any, so that a store can update a row where it would
 * delete and insert; removed ones that no written one names are to be deleted.
 */
export const clusterDiff = (
  before: Tree,
  after: Tree
): { removed: Array<Cid>; written: Array<WrittenCluster> } => {
  const { created, removed } = changedNodes(before, after)
  const goes = tops(removed, before.rootNode, after.rootNode)
  const comes = tops(created, after.rootNode, before.rootNode)
  const pairs = pair(goes, comes)
  return {
    removed: goes.map((node) => node.cid!),
    written: comes.map((node) => {
      const bytes = encodeCluster(clusterNodes(after.loader, node))
      const replaces = pairs.get(node)?.cid
      return replaces === undefined
        ? { cid: node.cid!, bytes }
        : { cid: node.cid!, bytes, replaces }
    })
  }
}

/** The changed nodes that begin clusters. A root that the other tree holds too begins one just here. */
const tops = (changed: ReadonlyArray<Node>, root: Node, otherRoot: Node): Array<Node> => {
  const nodes = changed.filter((node) => node === root || isClusterTop(node.layer))
  const isNew = nodes[0] === root
  const isSame = root.cid!.equals(otherRoot.cid!)
  if (!isNew && !isSame && !isClusterTop(root.layer)) nodes.unshift(root)
  return nodes
}

/** Pairs those of one layer first: rows then keep near to what they held. */
const pair = (goes: ReadonlyArray<Node>, comes: ReadonlyArray<Node>): Map<Node, Node> => {
  const pairs = new Map<Node, Node>()
  const free = new Set(goes)
  const take = (node: Node, fits: (candidate: Node) => boolean): void => {
    if (pairs.has(node)) return
    for (const candidate of free) {
      if (!fits(candidate)) continue
      free.delete(candidate)
      pairs.set(node, candidate)
      return
    }
  }
  for (const node of comes) take(node, (candidate) => candidate.layer === node.layer)
  for (const node of comes) take(node, () => true)
  return pairs
}

/** All clusters of a tree, root first, one at a time. */
export function* allClusters(tree: Tree): Generator<Block> {
  const loader: Loader = tree.loader
  tree.root()
  const waiting: Array<Node> = [tree.rootNode]
  for (let top = waiting.pop(); top !== undefined; top = waiting.pop()) {
    const below: Array<Node> = []
    const bytes = encodeCluster(clusterNodes(loader, top, below))
    yield { cid: top.cid!, bytes }
    for (let i = below.length - 1; i >= 0; i--) waiting.push(below[i]!)
  }
}
