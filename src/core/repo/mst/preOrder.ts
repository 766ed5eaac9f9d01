import type { Block } from "../car.ts"
import type { Cid } from "../cid.ts"
import { isClusterTop } from "./loader.ts"
import type { Content, Node } from "./node.ts"
import { InvalidNode } from "./node.ts"
import type { Tree } from "./Tree.ts"

/** One step of a walk through a whole tree. */
export type Step =
  | { readonly kind: "node"; readonly cid: Cid; readonly bytes: Uint8Array }
  | { readonly kind: "record"; readonly key: string; readonly cid: Cid }

/**
 * A node on the way down, and the position of the walk: even numbers are subtrees, odd ones keys.
 */
interface Frame {
  readonly content: Content
  at: number
}

/**
 * All nodes and records of a tree in an order that a reader can check as they arrive: each node
 * before its subtrees, each record between the subtrees around it. Holds only the path from the
 * root in memory. Omits the subtrees of the cluster tops that `isLeftOut` names.
 */
export function* preOrder(
  tree: Tree,
  isLeftOut: (top: Node) => boolean = () => false
): Generator<Step> {
  const { loader } = tree
  tree.root()
  if (isLeftOut(tree.rootNode)) return
  const top = loader.resident(tree.rootNode)
  yield { kind: "node", cid: top.cid!, bytes: top.bytes! }
  const stack: Array<Frame> = [{ content: loader.peek(top), at: 0 }]
  let last = ""
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const { content } = frame
    const i = frame.at++
    if (i > 2 * content.keys.length) {
      stack.pop()
    } else if (i % 2 === 1) {
      const key = content.keys[i >>> 1]!
      last = rising(last, key)
      yield { kind: "record", key, cid: content.values[i >>> 1]! }
    } else {
      const child = content.children[i >>> 1]
      if (child === undefined || (isClusterTop(child.layer) && isLeftOut(child))) continue
      const node = loader.resident(child)
      yield { kind: "node", cid: node.cid!, bytes: node.bytes! }
      stack.push({ content: loader.peek(node), at: 0 })
    }
  }
}

/**
 * Each node's own keys are in order; a hostile tree may still hold a subtree in the wrong place.
 */
const rising = (last: string, key: string): string => {
  if (key <= last) throw new InvalidNode("keys out of order")
  return key
}

/** The block of a tree's root. */
export const rootBlock = (tree: Tree): Block => {
  const cid = tree.root()
  return { cid, bytes: tree.loader.resident(tree.rootNode).bytes! }
}
