import { concatBytes } from "../bytes/bytes.ts"
import { type Data, encode, InvalidCbor } from "./cbor.ts"
import { decode, decodeFirst } from "./cborDecode.ts"
import { CborReader } from "./cborReader.ts"
import type { Cid } from "./cid.ts"
import { major, scratch, takeScratch, writeUint64 } from "./writer.ts"

/** A firehose frame without its sequence number, which goes into the 8 bytes at `seqOffset`. */
export interface PendingFrame {
  readonly bytes: Uint8Array
  readonly seqOffset: number
}

/** One operation of a commit, in the form of #commit. */
export interface RepoOp {
  readonly action: "create" | "update" | "delete"
  /** `collection/rkey` */
  readonly path: string
  /** The record's CID now; null after a delete. */
  readonly cid: Cid | null
  /** The record's CID before; undefined for a create. */
  readonly prev?: Cid | undefined
}

/** The content of a #commit without its sequence number. */
export interface CommitEvent {
  readonly repo: string
  readonly commit: Cid
  readonly rev: string
  readonly since: string | null
  /** The tree's root before this commit; undefined for the first. */
  readonly prevData?: Cid | undefined
  /**
   * A CAR with the commit, the changed tree nodes, the nodes that inverting the operations needs,
   * and the records.
   */
  readonly blocks: Uint8Array
  readonly ops: ReadonlyArray<RepoOp>
  readonly time: string
}

// Encoded once: a frame is written field by field, in DAG-CBOR's key order.
const key = {
  cid: encode("cid"),
  did: encode("did"),
  ops: encode("ops"),
  rev: encode("rev"),
  seq: encode("seq"),
  path: encode("path"),
  prev: encode("prev"),
  repo: encode("repo"),
  time: encode("time"),
  blobs: encode("blobs"),
  since: encode("since"),
  action: encode("action"),
  active: encode("active"),
  blocks: encode("blocks"),
  commit: encode("commit"),
  handle: encode("handle"),
  rebase: encode("rebase"),
  status: encode("status"),
  tooBig: encode("tooBig"),
  prevData: encode("prevData")
}
const header = {
  commit: encode({ t: "#commit", op: 1 }),
  sync: encode({ t: "#sync", op: 1 }),
  identity: encode({ t: "#identity", op: 1 }),
  account: encode({ t: "#account", op: 1 }),
  info: encode({ t: "#info", op: 1 }),
  error: encode({ op: -1 })
}
const writer = scratch

const begin = (frameHeader: Uint8Array, fields: number): void => {
  writer.position = 0
  writer.verbatim(frameHeader)
  writer.head(major.map, fields)
}

const text = (name: Uint8Array, value: string): void => {
  writer.verbatim(name)
  writer.text(value)
}

const simple = (name: Uint8Array, value: boolean | null): void => {
  writer.verbatim(name)
  writer.simple(value === null ? 0xf6 : value ? 0xf5 : 0xf4)
}

const link = (name: Uint8Array, value: Cid | null): void => {
  writer.verbatim(name)
  if (value === null) writer.simple(0xf6)
  else writer.link(value)
}

/** The sequence number always takes 8 bytes: it is as large as the time in microseconds. */
const seq = (): number => {
  writer.verbatim(key.seq)
  writer.simple(0x1b)
  const offset = writer.position
  writer.reserve(8)
  writer.buffer.fill(0, offset, offset + 8)
  writer.position += 8
  return offset
}

const writeOp = (op: RepoOp): void => {
  writer.head(major.map, op.prev === undefined ? 3 : 4)
  link(key.cid, op.cid)
  text(key.path, op.path)
  if (op.prev !== undefined) link(key.prev, op.prev)
  text(key.action, op.action)
}

/** A #commit frame. */
export const commitFrame = (event: CommitEvent): PendingFrame => {
  begin(header.commit, event.prevData === undefined ? 11 : 12)
  writer.reserve(event.blocks.length + 200 * event.ops.length + 512)
  writer.verbatim(key.ops)
  writer.head(major.array, event.ops.length)
  for (const op of event.ops) writeOp(op)
  text(key.rev, event.rev)
  const seqOffset = seq()
  text(key.repo, event.repo)
  text(key.time, event.time)
  writer.verbatim(key.blobs)
  writer.head(major.array, 0)
  if (event.since === null) simple(key.since, null)
  else text(key.since, event.since)
  writer.verbatim(key.blocks)
  writer.bytes(event.blocks)
  link(key.commit, event.commit)
  simple(key.rebase, false)
  simple(key.tooBig, false)
  if (event.prevData !== undefined) link(key.prevData, event.prevData)
  return { bytes: takeScratch(), seqOffset }
}

/** A #sync frame; `blocks` is a CAR with only the commit block. */
export const syncFrame = (event: {
  readonly did: string
  readonly rev: string
  readonly blocks: Uint8Array
  readonly time: string
}): PendingFrame => {
  begin(header.sync, 5)
  text(key.did, event.did)
  text(key.rev, event.rev)
  const seqOffset = seq()
  text(key.time, event.time)
  writer.verbatim(key.blocks)
  writer.bytes(event.blocks)
  return { bytes: takeScratch(), seqOffset }
}

/** An #identity frame. */
export const identityFrame = (event: {
  readonly did: string
  readonly handle?: string | undefined
  readonly time: string
}): PendingFrame => {
  begin(header.identity, event.handle === undefined ? 3 : 4)
  text(key.did, event.did)
  const seqOffset = seq()
  text(key.time, event.time)
  if (event.handle !== undefined) text(key.handle, event.handle)
  return { bytes: takeScratch(), seqOffset }
}

/** An #account frame. */
export const accountFrame = (event: {
  readonly did: string
  readonly active: boolean
  readonly status?: string | undefined
  readonly time: string
}): PendingFrame => {
  begin(header.account, event.status === undefined ? 4 : 5)
  text(key.did, event.did)
  const seqOffset = seq()
  text(key.time, event.time)
  simple(key.active, event.active)
  if (event.status !== undefined) text(key.status, event.status)
  return { bytes: takeScratch(), seqOffset }
}

/** Writes the sequence number into a frame, in place, and returns the frame. */
export const withSeq = (frame: Uint8Array, seqOffset: number, seq: number): Uint8Array => {
  if (!Number.isSafeInteger(seq) || seq < 0x1_0000_0000 || frame[seqOffset - 1] !== 0x1b) {
    throw new RangeError("not a number, or not a place, for an event")
  }
  writeUint64(frame, seqOffset, seq)
  return frame
}

/**
 * The sequence number of a complete frame; undefined for an incomplete frame or one without a
 * number.
 */
export const seqOf = (frame: Uint8Array): number | undefined => {
  const reader = new CborReader(frame)
  try {
    skip(reader)
    if (reader.head() !== major.map) return undefined
    let seq: number | undefined
    for (let left = reader.argument; left > 0; left--) {
      const isSeq = startsWith(frame, reader.at, key.seq)
      skip(reader)
      if (isSeq && reader.head() === major.uint) seq = reader.argument
      else if (!isSeq) skip(reader)
    }
    return reader.at === frame.length ? seq : undefined
  } catch (error) {
    if (error instanceof InvalidCbor) return undefined
    throw error
  }
}

const startsWith = (bytes: Uint8Array, at: number, start: Uint8Array): boolean =>
  start.every((byte, index) => bytes[at + index] === byte)

/** Skips one value. */
const skip = (reader: CborReader): void => {
  const type = reader.head()
  const { argument } = reader
  if (type === major.bytes || type === major.text) reader.take(argument)
  else if (type === major.tag) skip(reader)
  else if (type === major.array || type === major.map) {
    for (let left = type === major.map ? 2 * argument : argument; left > 0; left--) skip(reader)
  }
}

/** An #info frame. */
export const infoFrame = (name: string, message: string): Uint8Array =>
  concatBytes([header.info, encode({ name, message })])

/** An error frame, the last message of a stream. */
export const errorFrame = (error: string, message: string): Uint8Array =>
  concatBytes([header.error, encode({ error, message })])

/** The header and body of a frame. */
export const decodeFrame = (frame: Uint8Array): { header: Data; body: Data } => {
  const [header, rest] = decodeFirst(frame)
  return { header, body: decode(rest) }
}
