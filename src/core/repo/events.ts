import { verifyBytes } from "../identity/didKey.ts"
import { type Block, readCar } from "./car.ts"
import type { Data } from "./cbor.ts"
import { Cid } from "./cid.ts"
import { type Commit, decodeCommit, unsignedCommitBytes } from "./commit.ts"
import { decodeFrame, type RepoOp } from "./frame.ts"
import { isMap } from "./json.ts"
import { invert } from "./mst/invert.ts"
import { Tree } from "./mst/Tree.ts"
import { InvalidRepo, piecesOf } from "./verifyRepo.ts"

/** A commit as the event stream reports it. */
export interface CommitMessage {
  readonly type: "commit"
  readonly seq: number
  readonly did: string
  readonly rev: string
  /** The rev of the previous commit; null for a repo's first commit. */
  readonly since: string | null
  readonly commit: Cid
  /** The root of the previous tree; missing from servers older than sync 1.1. */
  readonly prevData: Cid | undefined
  readonly ops: ReadonlyArray<RepoOp>
  /** A CAR with the commit, the changed tree nodes and the new records. */
  readonly blocks: Uint8Array
  readonly time: string
}

/** An event of the network's stream. */
export type RepoMessage =
  | CommitMessage
  | {
      /** The repo was reset to a rev; fetch it again. */
      readonly type: "sync"
      readonly seq: number
      readonly did: string
      readonly rev: string
      readonly blocks: Uint8Array
      readonly time: string
    }
  | {
      /** The DID document or the handle may have changed. */
      readonly type: "identity"
      readonly seq: number
      readonly did: string
      readonly handle: string | undefined
      readonly time: string
    }
  | {
      readonly type: "account"
      readonly seq: number
      readonly did: string
      readonly active: boolean
      readonly status: string | undefined
      readonly time: string
    }
  /** A notice from the server, such as `OutdatedCursor`. */
  | { readonly type: "info"; readonly name: string; readonly message: string | undefined }
  /** The last message before the server closes the stream. */
  | { readonly type: "error"; readonly error: string; readonly message: string | undefined }
  /** An event type that this version does not know; skip it. */
  | { readonly type: "unknown"; readonly name: string; readonly body: Data }

/** Thrown for a frame that violates the protocol. */
export class InvalidFrame extends Error {
  override readonly name = "InvalidFrame"
}

type Fields = Readonly<Record<string, Data>>

const fail = (what: string): never => {
  throw new InvalidFrame(`a frame without ${what}`)
}

const text = (fields: Fields, name: string): string => {
  const value = fields[name]
  return typeof value === "string" ? value : fail(name)
}

const optionalText = (fields: Fields, name: string): string | undefined => {
  const value = fields[name]
  return typeof value === "string" ? value : undefined
}

const number = (fields: Fields, name: string): number => {
  const value = fields[name]
  return typeof value === "number" ? value : fail(name)
}

const bytes = (fields: Fields, name: string): Uint8Array => {
  const value = fields[name]
  return value instanceof Uint8Array ? value : fail(name)
}

const optionalLink = (fields: Fields, name: string): Cid | undefined => {
  const value = fields[name]
  return value instanceof Cid ? value : undefined
}

const operation = (value: Data): RepoOp => {
  if (!isMap(value)) return fail("operations")
  const action = value["action"]
  if (action !== "create" && action !== "update" && action !== "delete") return fail("an action")
  const cid = optionalLink(value, "cid") ?? null
  const prev = optionalLink(value, "prev")
  return { action, path: text(value, "path"), cid, ...(prev === undefined ? {} : { prev }) }
}

const commitOf = (body: Fields): CommitMessage => {
  const { ops } = body
  return {
    type: "commit",
    seq: number(body, "seq"),
    did: text(body, "repo"),
    rev: text(body, "rev"),
    since: optionalText(body, "since") ?? null,
    commit: optionalLink(body, "commit") ?? fail("commit"),
    prevData: optionalLink(body, "prevData"),
    ops: Array.isArray(ops) ? ops.map(operation) : fail("ops"),
    blocks: bytes(body, "blocks"),
    time: text(body, "time")
  }
}

const messageOf = (name: string, body: Fields): RepoMessage => {
  const common = () => ({
    seq: number(body, "seq"),
    did: text(body, "did"),
    time: text(body, "time")
  })
  switch (name) {
    case "#commit":
      return commitOf(body)
    case "#sync":
      return { type: "sync", ...common(), rev: text(body, "rev"), blocks: bytes(body, "blocks") }
    case "#identity":
      return { type: "identity", ...common(), handle: optionalText(body, "handle") }
    case "#account":
      return {
        type: "account",
        ...common(),
        active: body["active"] === true,
        status: optionalText(body, "status")
      }
    case "#info":
      return { type: "info", name: text(body, "name"), message: optionalText(body, "message") }
    default:
      return { type: "unknown", name, body: { ...body } }
  }
}

/**
 * Parses one binary message of `com.atproto.sync.subscribeRepos`; throws InvalidFrame or
 * InvalidCbor.
 */
export const readFrame = (frame: Uint8Array): RepoMessage => {
  const { header, body } = decodeFrame(frame)
  if (!isMap(header) || !isMap(body)) return fail("a header and a body")
  const { op, t } = header
  if (op === -1) {
    return { type: "error", error: text(body, "error"), message: optionalText(body, "message") }
  }
  return op === 1 && typeof t === "string" ? messageOf(t, body) : fail("a known operation")
}

/** A verified commit. */
export interface VerifiedCommit {
  readonly commit: Commit
  /** Blocks of created and updated records, by path. */
  readonly records: ReadonlyMap<string, Block>
}

/** The root before this commit: the empty tree for a first commit, `prevData` for any other. */
const treeBeforeFirst = ({ since }: CommitMessage): Cid => {
  if (since !== null) {
    throw new InvalidRepo("the message does not name the tree before it: give prevData")
  }
  return Tree.build([]).root()
}

/**
 * Verifies one commit of the stream: its account, rev and signature, and that its operations
 * account for every change between the previous tree and the new one (the inductive proof of sync
 * 1.1).
 *
 * `prevData` is the root you already trust; without it, the message's own counts. `signingKey` is
 * the did:key of the account's document; without it, the signature is not verified. Throws
 * InvalidRepo, InvalidInversion, InvalidCar, InvalidCommit, InvalidNode or MissingBlock.
 */
export const verifyCommit = async (
  message: CommitMessage,
  known: { readonly signingKey?: string; readonly prevData?: Cid } = {}
): Promise<VerifiedCommit> => {
  const blocks: Array<Block> = []
  for await (const block of readCar(piecesOf(message.blocks))) blocks.push(block)
  const blockOf = (cid: Cid) => blocks.find((block) => block.cid.equals(cid))
  const head = blockOf(message.commit)
  if (head === undefined) throw new InvalidRepo("the commit is missing")
  const commit = decodeCommit(head.bytes)
  if (commit.did !== message.did || commit.rev !== message.rev) {
    throw new InvalidRepo("the commit is of another account or revision")
  }
  const { signingKey } = known
  if (
    signingKey !== undefined &&
    !verifyBytes(signingKey, unsignedCommitBytes(commit), commit.sig)
  ) {
    throw new InvalidRepo("the commit is not signed by the account's key")
  }
  const before = known.prevData ?? message.prevData ?? treeBeforeFirst(message)
  if (!invert(blocks, message.ops, commit.data).equals(before)) {
    throw new InvalidRepo("the operations are not all that changed")
  }
  const records = new Map<string, Block>()
  for (const { path, cid } of message.ops) {
    const block = cid === null ? undefined : blockOf(cid)
    if (cid !== null && block === undefined) throw new InvalidRepo(`the record ${path} is missing`)
    if (block !== undefined) records.set(path, block)
  }
  return { commit, records }
}
