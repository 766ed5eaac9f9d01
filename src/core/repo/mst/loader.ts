import { sameBytes } from "../../bytes/bytes.ts"
import type { Cid } from "../cid.ts"
import { sha256 } from "../cid.ts"
import { maxNodeEntries } from "../limits.ts"
import { isMstKey, keyLayer } from "./key.ts"
import type { Content, Segment } from "./node.ts"
import { countChildren, decodeNode, emptyNode, InvalidNode, Node } from "./node.ts"

/** A node as a store returns it. */
export interface Found {
  /** Its block; a store of clusters adds all descendants in the same cluster, in pre-order. */
  readonly blocks: ReadonlyArray<Uint8Array>
  /** The rows of the clusters right below this one, in pre-order. */
  readonly below?: ReadonlyArray<number>
}

/** Reads nodes for a tree, synchronously. */
export interface NodeReader {
  /** A node, or undefined if the store doesn't have it. `row` is its cluster's last known row. */
  read(cid: Cid, row: number | undefined): Found | undefined
}

/** The row of the root's cluster. */
export const rootRow = 0

/** Thrown when the reader lacks a node that the tree needs. */
export class MissingBlock extends Error {
  override readonly name = "MissingBlock"
  readonly cid: Cid

  constructor(cid: Cid) {
    super(`block ${cid} is missing`)
    this.cid = cid
  }
}

/** Whether nodes of this layer start a cluster; the root starts one at any layer. */
export const isClusterTop = (layer: number): boolean => layer % 3 === 2

/** Reads nodes for one tree and all trees derived from it, and counts the decoded ones. */
export class Loader {
  readonly #reader: NodeReader
  readonly #verify: boolean
  /** Nodes whose content is in memory, or was until an edit dropped them. */
  opened = 0

  constructor(reader: NodeReader, verify: boolean) {
    this.#reader = reader
    this.#verify = verify
  }

  /** Reads the root; only its first key shows its layer. */
  root(cid: Cid): Node {
    const found = this.#read(cid, rootRow)
    const { layer, keys } = decodeNode(found.blocks[0]!, undefined)
    const node = keys.length === 0 ? emptyNode() : new Node(layer, undefined, undefined)
    node.cid = cid
    node.row = rootRow
    give(node, found)
    return node
  }

  /** A node's content, read on first use and kept. */
  open(node: Node): Content {
    if (node.content !== undefined) return node.content
    if (node.bytes === undefined) give(node, this.#read(node.cid!, node.row))
    this.opened++
    return (node.content = this.#decode(node))
  }

  /** The node with its bytes: the node itself, or a copy that only the caller holds. */
  resident(node: Node): Node {
    if (node.bytes !== undefined) return node
    const copy = new Node(node.layer, node.cid, undefined)
    copy.row = node.row
    give(copy, this.#read(node.cid!, node.row))
    return copy
  }

  /** The content of a resident node, not kept, and neither are its children. */
  peek(node: Node): Content {
    return node.content ?? this.#decode(node)
  }

  #read(cid: Cid, row: number | undefined): Found {
    const found = this.#reader.read(cid, row)
    if (found === undefined || found.blocks.length === 0) throw new MissingBlock(cid)
    return found
  }

  #decode(node: Node): Content {
    const { layer, segment } = node
    const { keys, values, links } = decodeNode(node.bytes!, layer)
    if (this.#verify) verify(node, keys)
    const leaves = isClusterTop(layer - 1)
    const within = leaves ? undefined : segment
    let below = leaves ? segment?.firsts[node.place] : undefined
    let place = node.place + 1
    const children: Array<Node | undefined> = []
    for (const link of links) {
      if (link === undefined) {
        children.push(undefined)
        continue
      }
      const child = new Node(layer - 1, link, undefined)
      if (within !== undefined) {
        child.segment = within
        child.place = place
        child.bytes = within.blocks[place]!
        place += within.sizes[place]!
      } else if (below !== undefined) child.row = segment!.below?.[below++]
      children.push(child)
    }
    return { keys, values, children }
  }
}

const malformed = (): InvalidNode => new InvalidNode("not the nodes of one cluster")

const give = (node: Node, { blocks, below }: Found): void => {
  node.bytes = blocks[0]!
  if (blocks.length > 1 || below !== undefined) node.segment = measure(blocks, below, node.layer)
}

/** Finds where each subtree ends inside a cluster, and which clusters below belong to it. */
const measure = (
  blocks: ReadonlyArray<Uint8Array>,
  below: ReadonlyArray<number> | undefined,
  top: number
): Segment => {
  const sizes = blocks.map(() => 0)
  const firsts = blocks.map(() => 0)
  let left = 0
  const walk = (at: number, layer: number): number => {
    const block = blocks[at]
    if (block === undefined) throw malformed()
    firsts[at] = left
    let next = at + 1
    if (layer > 0) {
      const children = countChildren(block)
      if (isClusterTop(layer - 1)) left += children
      else for (let i = 0; i < children; i++) next = walk(next, layer - 1)
    }
    sizes[at] = next - at
    return next
  }
  if (walk(0, top) !== blocks.length) throw malformed()
  if (below !== undefined && below.length !== left) throw malformed()
  firsts.push(left)
  return { blocks, sizes, below, firsts }
}

/** The checks that nodes from the server's own store skip, because they cost hashes. */
const verify = (node: Node, keys: ReadonlyArray<string>): void => {
  if (keys.length > maxNodeEntries) throw new InvalidNode("more keys than chance puts in a node")
  if (!sameBytes(sha256(node.bytes!), node.cid!.digest)) {
    throw new InvalidNode("a block that its CID does not name")
  }
  for (const key of keys) {
    if (!isMstKey(key)) throw new InvalidNode("a key that is not collection/rkey")
    if (keyLayer(key) !== node.layer) throw new InvalidNode("a key on a foreign layer")
  }
}

/** The parts of a stored cluster. */
export interface ClusterParts {
  /** The cluster's nodes, in pre-order. */
  readonly blocks: Array<Uint8Array>
  /** The rows of the clusters below, in pre-order. */
  readonly rows: Array<number>
  /** The tops of the clusters below, if requested. */
  readonly below: Array<Node> | undefined
}

/** The parts of the cluster that starts at a node; `rowOf` returns the row of a top below. */
export const clusterParts = (
  loader: Loader,
  top: Node,
  rowOf: (node: Node) => number,
  below?: Array<Node>
): ClusterParts => {
  const parts: ClusterParts = { blocks: [], rows: [], below }
  const collect = (node: Node): void => {
    const { segment, place } = node
    // Unread nodes are contiguous in the cluster they came in, and unchanged.
    if (node.content === undefined && segment?.below !== undefined && below === undefined) {
      const end = place + segment.sizes[place]!
      for (let i = place; i < end; i++) parts.blocks.push(segment.blocks[i]!)
      for (let i = segment.firsts[place]!; i < segment.firsts[end]!; i++) {
        parts.rows.push(segment.below[i]!)
      }
      return
    }
    parts.blocks.push(node.bytes!)
    if (node.layer === 0) return
    const inside = !isClusterTop(node.layer - 1)
    for (const child of loader.peek(node).children) {
      if (child === undefined) continue
      if (inside) collect(loader.resident(child))
      else {
        parts.rows.push(rowOf(child))
        below?.push(child)
      }
    }
  }
  collect(loader.resident(top))
  return parts
}
