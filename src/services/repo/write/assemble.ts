import * as Result from "effect/Result"
import { type Block, carBytes } from "../../../core/repo/car.ts"
import type { Cid } from "../../../core/repo/cid.ts"
import { signedCommit } from "../../../core/repo/commit.ts"
import { commitFrame, type PendingFrame, type RepoOp } from "../../../core/repo/frame.ts"
import { maxBlocksBytes } from "../../../core/repo/limits.ts"
import { blocksOf, coveringProof } from "../../../core/repo/mst/proof.ts"
import { changeOf, type TreeChange } from "../../../core/repo/mst/diff.ts"
import { CrowdedNode } from "../../../core/repo/mst/edit.ts"
import { InvalidMstKey } from "../../../core/repo/mst/key.ts"
import type { Tree } from "../../../core/repo/mst/Tree.ts"
import { InvalidWrite } from "../Repo.ts"
import type { Change } from "./plan.ts"

/** What a set of changes does to the tree, and the blocks that its event carries. */
export interface Applied {
  readonly change: TreeChange
  readonly root: Cid
  /** New tree nodes, the nodes that inversion needs, and the records. */
  readonly blocks: ReadonlyArray<Block>
  /** The blocks' size in an event, in bytes. */
  readonly bytes: number
  readonly ops: ReadonlyArray<RepoOp>
  /** How many nodes the tree has gained. */
  readonly grown: number
}

/** Applies changes to the tree; fails if the event would be too large. */
export const applyChanges = (
  before: Tree,
  changes: ReadonlyArray<Change>
): Result.Result<Applied, InvalidWrite> =>
  Result.flatMap(edit(before, changes), (after) => applied(before, after, changes))

const applied = (
  before: Tree,
  after: Tree,
  changes: ReadonlyArray<Change>
): Result.Result<Applied, InvalidWrite> => {
  const root = after.root()
  const change = changeOf(before, after)
  const { created, removed } = change
  const blocks = new Map<string, Block>()
  for (const node of blocksOf(created)) blocks.set(node.cid.key, node)
  for (const node of coveringProof(
    after,
    changes.map((change) => change.path)
  )) {
    blocks.set(node.cid.key, node)
  }
  const ops: Array<RepoOp> = []
  let bytes = 0
  for (const { path, before: prev, after: content } of changes) {
    if (content !== undefined)
      blocks.set(content.cid.key, { cid: content.cid, bytes: content.value })
    ops.push({
      action: content === undefined ? "delete" : prev === undefined ? "create" : "update",
      path,
      cid: content?.cid ?? null,
      ...(prev === undefined ? {} : { prev })
    })
  }
  for (const block of blocks.values()) bytes += block.bytes.byteLength + 40
  // Leaves room for the commit block and the header, so the frame stays within the limit.
  if (bytes > maxBlocksBytes - 2048) {
    return Result.fail(new InvalidWrite({ message: "Too many writes. Max event size: 2MB" }))
  }
  const grown = created.length - removed.length
  return Result.succeed({ change, root, blocks: [...blocks.values()], bytes, ops, grown })
}

const edit = (before: Tree, changes: ReadonlyArray<Change>): Result.Result<Tree, InvalidWrite> => {
  let after = before
  try {
    for (const { path, after: content } of changes) {
      after = content === undefined ? after.delete(path) : after.put(path, content.cid)
    }
  } catch (error) {
    // Rejects keys mined to crowd one node before the node grows out of bounds.
    if (error instanceof CrowdedNode || error instanceof InvalidMstKey) {
      return Result.fail(new InvalidWrite({ message: error.message }))
    }
    throw error
  }
  return Result.succeed(after)
}

/** A signed commit with its block and the frame that announces it. */
export interface Assembled {
  readonly commit: Cid
  readonly block: Uint8Array
  readonly frame: PendingFrame
}

/** Signs a commit over applied changes and builds its frame. */
export const assemble = (parts: {
  readonly did: string
  readonly root: Cid
  readonly rev: string
  readonly sig: Uint8Array
  readonly since: string | null
  readonly prevData: Cid | undefined
  readonly blocks: ReadonlyArray<Block>
  readonly ops: ReadonlyArray<RepoOp>
  readonly time: string
}): Assembled => {
  const { did, root, rev, sig, since, prevData, ops, time } = parts
  const { cid, bytes } = signedCommit({ did, data: root, rev, sig })
  const frame = commitFrame({
    repo: did,
    commit: cid,
    rev,
    since,
    ...(prevData === undefined ? {} : { prevData }),
    blocks: carBytes(cid, [{ cid, bytes }, ...parts.blocks]),
    ops,
    time
  })
  return { commit: cid, block: bytes, frame }
}
