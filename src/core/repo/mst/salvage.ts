import type { Cid } from "../cid.ts"
import type { MstEntry } from "./build.ts"
import { Loader, type NodeReader } from "./loader.ts"
import { type Content, InvalidNode, type Node } from "./node.ts"

/**
 * The readable entries of a tree that may be damaged, in ascending order.
 *
 * Reports each node that is missing or isn't what its CID names, and leaves out what is below it.
 */
export function* salvage(
  reader: NodeReader,
  root: Cid,
  lost: (node: Cid, reason: string) => void
): Generator<MstEntry> {
  const loader = new Loader(reader, true)
  let last = ""

  /** Reads something of a node; undefined if that fails, for whatever reason. */
  const attempt = <A>(cid: Cid, read: () => A): A | undefined => {
    try {
      return read()
    } catch (error) {
      lost(cid, error instanceof Error ? error.message : "it can't be read")
      return undefined
    }
  }

  const contentOf = (node: Node): Content => {
    const content = loader.peek(loader.resident(node))
    for (const key of content.keys) {
      if (key <= last) throw new InvalidNode("keys out of order")
    }
    return content
  }

  const visit = function* (node: Node): Generator<MstEntry> {
    const content = attempt(node.cid!, () => contentOf(node))
    if (content === undefined) return
    const { children, keys, values } = content
    for (const [at, child] of children.entries()) {
      if (child !== undefined) yield* visit(child)
      const key = keys[at]
      if (key === undefined || key <= last) continue
      last = key
      yield [key, values[at]!]
    }
  }

  const top = attempt(root, () => loader.root(root))
  if (top !== undefined) yield* visit(top)
}
