import { MemoryBlockstore, MST, readCarWithRoot, verifyProofs } from "@atproto/repo"
import { assert } from "@effect/vitest"
import { decode, decodeFirst, type DecodeOptions } from "cborg"
import { CID } from "multiformats/cid"

/** An operation of a #commit, with CIDs as text. */
export interface Op {
  readonly action: "create" | "update" | "delete"
  readonly path: string
  readonly cid: string | null
  readonly prev?: string
}

/** The fields of this server's messages. */
export interface Body {
  readonly seq: number
  readonly repo: string
  readonly did: string
  readonly commit: string
  readonly rev: string
  readonly since: string | null
  readonly prevData?: string
  readonly blocks: Uint8Array
  readonly ops: ReadonlyArray<Op>
  readonly blobs: ReadonlyArray<string>
  readonly rebase: boolean
  readonly tooBig: boolean
  readonly time: string
  readonly active: boolean
  readonly status?: string
  readonly handle?: string
  readonly name?: string
  readonly error?: string
  readonly message?: string
}

/** A frame, decoded. */
export interface Frame {
  readonly op: number
  readonly type: string | undefined
  readonly body: Body
  readonly size: number
}

const options: DecodeOptions = {
  // SAFETY: a CID is a byte string, or the decoder throws.
  tags: { 42: (content) => CID.decode((content() as Uint8Array).subarray(1)).toString() }
}

/** Decodes a frame: exactly two consecutive CBOR values. */
export const decodeFrame = (bytes: Uint8Array): Frame => {
  // SAFETY: `checkFrame` checks the content.
  const [header, rest] = decodeFirst(bytes, options) as [{ op: number; t?: string }, Uint8Array]
  return { op: header.op, type: header.t, body: decode(rest, options) as Body, size: bytes.length }
}

/** The state of a repo, known only from its frames. */
export interface Mirror {
  rev: string
  data: string
  readonly records: Map<string, string>
}

const fields = {
  "#commit": "blobs,blocks,commit,ops,prevData,rebase,repo,rev,seq,since,time,tooBig",
  "#first": "blobs,blocks,commit,ops,rebase,repo,rev,seq,since,time,tooBig",
  "#sync": "blocks,did,rev,seq,time",
  "#identity": "did,handle,seq,time",
  "#account": "active,did,seq,time",
  "#inactive": "active,did,seq,status,time"
}

const has = (body: Body, shape: keyof typeof fields) =>
  assert.strictEqual(Object.keys(body).toSorted().join(), fields[shape])

/** Checks an operation's shape, and that it continues the previous state. */
const checkOp = ({ action, path, cid, prev, ...rest }: Op, records: Map<string, string>) => {
  assert.deepStrictEqual(rest, {})
  assert.strictEqual(prev, records.get(path), `${action} ${path} continues the record before it`)
  assert.strictEqual(action === "create", prev === undefined, `${action} ${path} has prev ${prev}`)
  assert.strictEqual(action === "delete", cid === null, `${action} ${path} has cid ${cid}`)
}

// SAFETY: the library's CIDs are parsed from text, since it has its own class.
const cidOf = (text: string) => CID.parse(text) as unknown as MST["pointer"]

/** Inverts the operations with the frame's own blocks; returns the previous root. */
const invert = async (blocks: MemoryBlockstore, data: string, ops: ReadonlyArray<Op>) => {
  let tree = MST.load(blocks, cidOf(data))
  for (const { path, cid: after, prev } of ops) {
    if (after === null) tree = await tree.add(path, cidOf(prev!))
    else if (prev === undefined) tree = await tree.delete(path)
    else tree = await tree.update(path, cidOf(prev))
  }
  return (await tree.getPointer()).toString()
}

/** Checks a #commit as the protocol allows a consumer to, and applies it to the mirror. */
const checkCommit = async (body: Body, key: string, mirrors: Map<string, Mirror>) => {
  const { repo, rev, ops } = body
  const before = mirrors.get(repo)
  has(body, body.since === null ? "#first" : "#commit")
  assert.deepStrictEqual([body.rebase, body.tooBig, body.blobs.length], [false, false, 0])
  assert.isAtMost(body.blocks.length, 2_000_000)
  assert.isAtMost(ops.length, 200)
  const { root, blocks } = await readCarWithRoot(body.blocks)
  assert.strictEqual(root.toString(), body.commit)
  const commit = decode(blocks.get(root)!, options)
  assert.deepInclude(commit, { did: repo, version: 3, rev, prev: null })
  const claims = ops.map(({ path, cid }) => {
    const [collection = "", rkey = ""] = path.split("/")
    return { collection, rkey, cid: cid === null ? null : cidOf(cid) }
  })
  // Throws if the signature isn't by this key.
  const { unverified } = await verifyProofs(body.blocks, claims, repo, key)
  assert.deepStrictEqual(unverified, [])
  if (before === undefined) {
    // For a repo that existed before, there is nothing to compare with.
    if (body.since !== null) return
    assert.deepStrictEqual(ops, [])
  } else {
    assert.isAbove(rev.localeCompare(before.rev), 0, `${rev} comes after ${before.rev}`)
    assert.strictEqual(body.since, before.rev)
    assert.strictEqual(body.prevData, before.data)
    assert.strictEqual(await invert(new MemoryBlockstore(blocks), commit.data, ops), before.data)
  }
  const records = before?.records ?? new Map<string, string>()
  for (const op of ops) {
    checkOp(op, records)
    if (op.cid === null) records.delete(op.path)
    else records.set(op.path, op.cid)
  }
  mirrors.set(repo, { rev, data: commit.data, records })
}

/**
 * Checks a #sync: only the commit block, over the tree of the previous commits; later commits build
 * on it.
 *
 * Its rev equals the last one's at sign-up, and is above it after a reactivation.
 */
const checkSync = async (body: Body, mirrors: Map<string, Mirror>) => {
  has(body, "#sync")
  assert.isAtMost(body.blocks.length, 10_000)
  const { root, blocks } = await readCarWithRoot(body.blocks)
  assert.strictEqual(blocks.size, 1)
  const { did, rev, data } = decode(blocks.get(root)!, options)
  assert.deepStrictEqual([did, rev], [body.did, body.rev])
  const head = mirrors.get(body.did)
  if (head === undefined) return
  assert.strictEqual(data, head.data)
  assert.isAtLeast(rev.localeCompare(head.rev), 0, `${rev} is not before ${head.rev}`)
  mirrors.set(body.did, { ...head, rev })
}

/** Checks a frame alone and against previous ones. */
export const checkFrame = async (
  { op, type, body, size }: Frame,
  keyOf: (did: string) => Promise<string>,
  mirrors: Map<string, Mirror>
): Promise<void> => {
  assert.strictEqual(op, 1)
  assert.isAtMost(size, 5_000_000)
  assert.strictEqual(new Date(body.time).toISOString(), body.time)
  assert.isBelow(Math.abs(Date.parse(body.time) - Date.now()), 300_000)
  switch (type) {
    case "#commit":
      return checkCommit(body, await keyOf(body.repo), mirrors)
    case "#sync":
      return checkSync(body, mirrors)
    case "#identity":
      return has(body, "#identity")
    case "#account":
      return has(body, body.active ? "#account" : "#inactive")
    default:
      assert.fail(`a frame of type ${type}`)
  }
}
