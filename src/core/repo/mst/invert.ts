import type { Block } from "../car.ts"
import type { Cid } from "../cid.ts"
import type { RepoOp } from "../frame.ts"
import { Tree } from "./Tree.ts"

/** Thrown when operations do not produce the tree that the commit claims. */
export class InvalidInversion extends Error {
  override readonly name = "InvalidInversion"
}

/**
 * Undoes a commit's operations with only the blocks of its frame and returns the previous root,
 * which must equal `prevData`. Throws InvalidInversion, InvalidNode or MissingBlock.
 */
export const invert = (blocks: Iterable<Block>, ops: ReadonlyArray<RepoOp>, root: Cid): Cid => {
  const byCid = new Map<string, Uint8Array>()
  for (const { cid, bytes } of blocks) byCid.set(cid.key, bytes)
  const read = (cid: Cid) => {
    const bytes = byCid.get(cid.key)
    return bytes === undefined ? undefined : { blocks: [bytes] }
  }
  let tree = Tree.load({ read }, root, { verify: true })
  for (const op of ops.toReversed()) tree = undo(tree, op)
  return tree.root()
}

const undo = (tree: Tree, op: RepoOp): Tree => {
  const present = tree.get(op.path)
  const matches = op.cid === null ? present === undefined : present?.equals(op.cid) === true
  if (!matches || (op.action === "delete") !== (op.cid === null)) {
    throw new InvalidInversion(`the tree does not show the ${op.action} of ${op.path}`)
  }
  if (op.action === "create") return tree.delete(op.path)
  if (op.prev === undefined)
    throw new InvalidInversion(`no prev for the ${op.action} of ${op.path}`)
  return tree.put(op.path, op.prev)
}
