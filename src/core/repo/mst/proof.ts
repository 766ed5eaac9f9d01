import type { Block } from "../car.ts"
import { lowerBound } from "./key.ts"
import type { Loader } from "./loader.ts"
import type { Node } from "./node.ts"
import type { Tree } from "./Tree.ts"

/** The blocks of encoded nodes. */
export const blocksOf = (nodes: Iterable<Node>): Array<Block> => {
  const blocks: Array<Block> = []
  for (const node of nodes) blocks.push({ cid: node.cid!, bytes: node.bytes! })
  return blocks
}

/**
 * The nodes of the new tree that inverting operations on these keys needs: the path to each key,
 * present or not, and to its neighbours on both sides.
 */
export const coveringProof = (after: Tree, keys: Iterable<string>): Array<Block> => {
  after.root()
  const nodes = new Set<Node>()
  for (const key of keys) cover(after.loader, after.rootNode, key, nodes)
  return blocksOf(nodes)
}

const cover = (loader: Loader, root: Node, key: string, nodes: Set<Node>): void => {
  for (let node: Node | undefined = root; node !== undefined;) {
    const content = loader.open(node)
    nodes.add(node)
    const at = lowerBound(content.keys, key)
    if (content.keys[at] === key) {
      addEdge(loader, content.children[at], "right", nodes)
      addEdge(loader, content.children[at + 1], "left", nodes)
      return
    }
    node = content.children[at]
  }
}

/** Adds the outermost nodes of a subtree on one side, down to the lowest. */
const addEdge = (
  loader: Loader,
  subtree: Node | undefined,
  side: "left" | "right",
  nodes: Set<Node>
): void => {
  for (let node = subtree; node !== undefined;) {
    const { children } = loader.open(node)
    nodes.add(node)
    node = side === "left" ? children[0] : children[children.length - 1]
  }
}

/** The nodes from the root to a key, or to where it would be: proof of its presence or absence. */
export const recordProof = (tree: Tree, key: string): Array<Block> => {
  tree.root()
  const path: Array<Node> = []
  for (let node: Node | undefined = tree.rootNode; node !== undefined;) {
    const { keys, children }: ReturnType<Loader["open"]> = tree.loader.open(node)
    path.push(node)
    const at = lowerBound(keys, key)
    if (keys[at] === key) break
    node = children[at]
  }
  return blocksOf(path)
}
