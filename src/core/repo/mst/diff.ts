import type { Loader } from "./loader.ts"
import type { Node } from "./node.ts"
import type { Tree } from "./Tree.ts"

/** Two trees, and the nodes that only one of them has, encoded, highest layer first. */
export interface TreeChange {
  readonly before: Tree
  readonly after: Tree
  readonly created: ReadonlyArray<Node>
  readonly removed: ReadonlyArray<Node>
}

/** Compares two trees; reads only the changed paths. */
export const changeOf = (before: Tree, after: Tree): TreeChange => {
  before.root()
  after.root()
  const created: Array<Node> = []
  const removed: Array<Node> = []
  let old: Array<Node> = []
  let fresh: Array<Node> = []
  // Layer by layer: a shared subtree is recognized at its top and never entered.
  for (let layer = Math.max(before.layer, after.layer); layer >= 0; layer--) {
    if (layer === before.layer) old.push(before.rootNode)
    if (layer === after.layer) fresh.push(after.rootNode)
    const [justOld, justFresh] = withoutCommon(old, fresh)
    removed.push(...justOld)
    created.push(...justFresh)
    old = childrenOf(before.loader, justOld)
    fresh = childrenOf(after.loader, justFresh)
    if (old.length + fresh.length === 0 && layer <= before.layer && layer <= after.layer) break
  }
  return { before, after, created, removed }
}

const childrenOf = (loader: Loader, nodes: ReadonlyArray<Node>): Array<Node> => {
  const children: Array<Node> = []
  for (const node of nodes) {
    for (const child of loader.open(node).children) if (child !== undefined) children.push(child)
  }
  return children
}

/**
 * Both lists without their common nodes, which are mostly the same objects, and at least have the
 * same CIDs.
 */
const withoutCommon = (
  allOld: ReadonlyArray<Node>,
  allFresh: ReadonlyArray<Node>
): [old: ReadonlyArray<Node>, fresh: ReadonlyArray<Node>] => {
  // One write changes one place: most of both lists is the same before it and after it.
  const least = Math.min(allOld.length, allFresh.length)
  let start = 0
  while (start < least && allOld[start] === allFresh[start]) start++
  let end = 0
  while (end < least - start && allOld.at(-1 - end) === allFresh.at(-1 - end)) end++
  const old = allOld.slice(start, allOld.length - end)
  const fresh = allFresh.slice(start, allFresh.length - end)
  const isOne = old.length === 1 && fresh.length === 1 && !old[0]!.cid!.equals(fresh[0]!.cid!)
  if (isOne || old.length === 0 || fresh.length === 0) return [old, fresh]
  const oldNodes = new Set(old)
  const freshNodes = new Set(fresh)
  const oldRest = old.filter((node) => !freshNodes.has(node))
  const freshRest = fresh.filter((node) => !oldNodes.has(node))
  if (oldRest.length === 0 || freshRest.length === 0) return [oldRest, freshRest]
  const oldKeys = new Set(oldRest.map((node) => node.cid!.key))
  const freshKeys = new Set(freshRest.map((node) => node.cid!.key))
  return [
    oldRest.filter((node) => !freshKeys.has(node.cid!.key)),
    freshRest.filter((node) => !oldKeys.has(node.cid!.key))
  ]
}
