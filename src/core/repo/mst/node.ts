import { Cid, cidForCbor, cidLength, dagCbor, isCidAt } from "../cid.ts"
import { headLength, linkLength, major, writeHead, writeLink } from "../writer.ts"
import { commonPrefix, keyLayer } from "./key.ts"

/**
 * A node's content: n keys in order with their values, and n + 1 places for subtrees around them.
 */
export interface Content {
  readonly keys: ReadonlyArray<string>
  readonly values: ReadonlyArray<Cid>
  readonly children: ReadonlyArray<Node | undefined>
}

/** The nodes of one stored cluster, in pre-order. */
export interface Segment {
  readonly blocks: ReadonlyArray<Uint8Array>
  /** How many nodes each subtree has inside the cluster. */
  readonly sizes: ReadonlyArray<number>
  /**
   * The rows of the clusters right below this one, in pre-order; undefined from a store of single
   * nodes.
   */
  readonly below: ReadonlyArray<number> | undefined
  /** How many of these rows come before each node's own; one entry more than there are nodes. */
  readonly firsts: ReadonlyArray<number>
}

/**
 * A tree node, known by its CID, its bytes or its content. Its meaning never changes; more of it
 * becomes known.
 */
export class Node {
  readonly layer: number
  cid: Cid | undefined
  bytes: Uint8Array | undefined
  content: Content | undefined
  /** The stored cluster that the bytes came in, and the node's index in it. */
  segment: Segment | undefined
  place = 0
  /** The row of the cluster that starts here, if known. */
  row: number | undefined

  constructor(layer: number, cid: Cid | undefined, content: Content | undefined) {
    this.layer = layer
    this.cid = cid
    this.bytes = undefined
    this.content = content
    this.segment = undefined
    this.row = undefined
  }
}

/** Thrown for bytes that are not the canonical encoding of a tree node. */
export class InvalidNode extends Error {
  override readonly name = "InvalidNode"
}

/** The node of an empty tree. */
export const emptyNode = (): Node =>
  new Node(0, undefined, { keys: [], values: [], children: [undefined] })

/** Encodes changed nodes, children first, and returns the node's CID. */
export const seal = (node: Node): Cid => {
  if (node.cid !== undefined) return node.cid
  const content = node.content!
  for (const child of content.children) if (child !== undefined) seal(child)
  node.bytes = encodeNode(content)
  return (node.cid = cidForCbor(node.bytes))
}

let buffer = new Uint8Array(0x4000)
const nullByte = 0xf6
// Field names "e", "k", "l", "p", "t" and "v" with their CBOR heads.
const name = 0x61

/** The DAG-CBOR of a node whose children are sealed. */
export const encodeNode = ({ keys, values, children }: Content): Uint8Array => {
  let bound = 16 + linkLength
  for (const key of keys) bound += 20 + 2 * linkLength + key.length
  if (bound > buffer.length) buffer = new Uint8Array(bound * 2)
  const out = buffer
  out[0] = 0xa2
  out[1] = name
  out[2] = 0x65
  let at = writeHead(out, 3, major.array, keys.length)
  let previous = ""
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const shared = commonPrefix(previous, key)
    out[at] = 0xa4
    out[at + 1] = name
    out[at + 2] = 0x6b
    at = writeHead(out, at + 3, major.bytes, key.length - shared)
    for (let c = shared; c < key.length; c++) out[at++] = key.charCodeAt(c)
    out[at] = name
    out[at + 1] = 0x70
    at = writeHead(out, at + 2, major.uint, shared)
    out[at] = name
    out[at + 1] = 0x74
    at = writeChild(out, at + 2, children[i + 1])
    out[at] = name
    out[at + 1] = 0x76
    at = writeLink(out, at + 2, values[i]!.bytes)
    previous = key
  }
  out[at] = name
  out[at + 1] = 0x6c
  at = writeChild(out, at + 2, children[0])
  return out.slice(0, at)
}

const writeChild = (out: Uint8Array, at: number, child: Node | undefined): number => {
  if (child !== undefined) return writeLink(out, at, child.cid!.bytes)
  out[at] = nullByte
  return at + 1
}

/**
 * Decodes a node strictly except for checks that cost a hash: form, prefixes, order. Throws
 * InvalidNode.
 */
export const decodeNode = (
  bytes: Uint8Array,
  layer: number | undefined
): { layer: number; keys: Array<string>; values: Array<Cid>; links: Array<Cid | undefined> } => {
  const cursor = { bytes, at: 0 }
  const { count } = readOpening(cursor)
  const keys: Array<string> = []
  const values: Array<Cid> = []
  const links: Array<Cid | undefined> = [undefined]
  let previous = ""
  for (let i = 0; i < count; i++) {
    expect(cursor, 0xa4)
    expectName(cursor, 0x6b)
    const suffix = readSuffix(cursor)
    expectName(cursor, 0x70)
    const shared = readArgument(cursor, major.uint)
    // Checks exact compression and ascending order at once: the first different character is
    // greater.
    if (
      shared > previous.length ||
      (shared < previous.length && suffix.charCodeAt(0) <= previous.charCodeAt(shared))
    ) {
      throw new InvalidNode("keys out of order, or not compressed exactly")
    }
    previous = shared === 0 ? suffix : previous.slice(0, shared) + suffix
    keys.push(previous)
    expectName(cursor, 0x74)
    links.push(readLinkOrNull(cursor))
    expectName(cursor, 0x76)
    values.push(readLink(cursor))
  }
  expectName(cursor, 0x6c)
  links[0] = readLinkOrNull(cursor)
  if (cursor.at !== bytes.length) throw new InvalidNode("bytes after the node")
  return { layer: checkShape(keys, links, layer), keys, values, links }
}

/** Throws unless an empty node is a whole empty tree or has a subtree below. */
const checkShape = (
  keys: ReadonlyArray<string>,
  links: ReadonlyArray<Cid | undefined>,
  layer: number | undefined
): number => {
  if (layer === undefined) {
    if (keys.length > 0) layer = keyLayer(keys[0]!)
    else if (links[0] === undefined) layer = 0
    else throw new InvalidNode("a root without keys")
  } else if (keys.length === 0 && links[0] === undefined) {
    throw new InvalidNode("an empty node inside a tree")
  }
  if (layer === 0 && links.some((link) => link !== undefined)) {
    throw new InvalidNode("a subtree below the lowest layer")
  }
  return layer
}

/** Counts a node's subtrees without decoding it. */
export const countChildren = (bytes: Uint8Array): number => {
  const cursor = { bytes, at: 0 }
  const { count } = readOpening(cursor)
  let children = 0
  for (let i = 0; i < count; i++) {
    cursor.at += 3
    const length = readArgument(cursor, major.bytes)
    cursor.at += length + 2
    readArgument(cursor, major.uint)
    cursor.at += 2
    if (skipChild(cursor)) children++
    cursor.at += 2 + linkLength
  }
  cursor.at += 2
  if (skipChild(cursor)) children++
  return children
}

interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

const skipChild = (cursor: Cursor): boolean => {
  const present = cursor.bytes[cursor.at] !== nullByte
  cursor.at += present ? linkLength : 1
  return present
}

const readOpening = (cursor: Cursor): { count: number } => {
  expect(cursor, 0xa2)
  expectName(cursor, 0x65)
  return { count: readArgument(cursor, major.array) }
}

const expect = (cursor: Cursor, byte: number): void => {
  if (cursor.bytes[cursor.at++] !== byte) throw new InvalidNode("not the form of a node")
}

const expectName = (cursor: Cursor, letter: number): void => {
  expect(cursor, name)
  expect(cursor, letter)
}

const readArgument = (cursor: Cursor, type: number): number => {
  const { bytes } = cursor
  const head = bytes[cursor.at++]! - type
  if (head >= 0 && head < 24) return head
  const width = head === 24 ? 1 : head === 25 ? 2 : head === 26 ? 4 : 0
  if (width === 0 || cursor.at + width > bytes.length)
    throw new InvalidNode("not the form of a node")
  let n = 0
  for (let i = 0; i < width; i++) n = n * 256 + bytes[cursor.at++]!
  if (headLength(n) !== 1 + width) throw new InvalidNode("a number in more bytes than it needs")
  return n
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const readSuffix = (cursor: Cursor): string => {
  const length = readArgument(cursor, major.bytes)
  const end = cursor.at + length
  if (length === 0 || end > cursor.bytes.length) throw new InvalidNode("a key that adds nothing")
  const suffix = ascii(cursor.bytes.subarray(cursor.at, end))
  cursor.at = end
  return suffix
}

const ascii = (bytes: Uint8Array): string => {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw new InvalidNode("a key that is no text")
  }
  if (text.length !== bytes.length) throw new InvalidNode("a key beyond ASCII")
  return text
}

const readLink = (cursor: Cursor): Cid => {
  const { bytes, at } = cursor
  if (
    bytes[at] !== 0xd8 ||
    bytes[at + 1] !== 42 ||
    bytes[at + 2] !== 0x58 ||
    bytes[at + 3] !== 37 ||
    bytes[at + 4] !== 0 ||
    !isCidAt(bytes, at + 5)
  ) {
    throw new InvalidNode("a malformed link")
  }
  cursor.at = at + linkLength
  // A copy: a view would keep the whole stored cluster in memory as long as one of its CIDs.
  return new Cid(bytes.slice(at + 5, at + 5 + cidLength))
}

const readLinkOrNull = (cursor: Cursor): Cid | undefined => {
  if (cursor.bytes[cursor.at] === nullByte) {
    cursor.at++
    return undefined
  }
  const link = readLink(cursor)
  if (link.codec !== dagCbor) throw new InvalidNode("a subtree that is no DAG-CBOR")
  return link
}
