import { sameBytes } from "../bytes.ts"
import type { Cid } from "../cid.ts"
import { sha256 } from "../cid.ts"
import { maxNodeEntries } from "../limits.ts"
import { isMstKey, keyLayer } from "./key.ts"
import type { Content } from "./node.ts"
import { countChildren, decodeNode, emptyNode, InvalidNode, Node } from "./node.ts"

/** Where a tree finds the nodes it has not read yet; synchronous. */
export interface NodeReader {
  /**
   * The block of the node asked for; a store of clusters adds all descendants that it keeps in the
   * same cluster, in pre-order. `layer` is the node's; -1 when it is the root, whose layer is not
   * known before it is read. Undefined when the store has no such node.
   */
  read(cid: Cid, layer: number): ReadonlyArray<Uint8Array> | undefined
}

/** Thrown when the reader has not a node that the tree needs. */
export class MissingBlock extends Error {
  override readonly name = "MissingBlock"
  readonly cid: Cid

  constructor(cid: Cid) {
    super(`block ${cid} is missing`)
    this.cid = cid
  }
}

/** Whether nodes of this layer begin a cluster; the root begins one whatever its layer. */
export const isClusterTop = (layer: number): boolean => layer % 3 === 2

/** Reads nodes for one tree and all trees made from it, and counts those it holds open. */
export class Loader {
  readonly #reader: NodeReader
  readonly #verify: boolean
  /** Nodes whose content is held in memory, or was until an edit left them behind. */
  opened = 0

  constructor(reader: NodeReader, verify: boolean) {
    this.#reader = reader
    this.#verify = verify
  }

  /** Reads the root, whose layer only its first key tells. */
  root(cid: Cid): Node {
    const blocks = this.#read(cid, -1)
    const { layer, keys } = decodeNode(blocks[0]!, undefined)
    const node = keys.length === 0 ? emptyNode() : new Node(layer, undefined, undefined)
    node.cid = cid
    this.#give(node, blocks)
    return node
  }

  /** The content of a node, read when need be and kept. */
  open(node: Node): Content {
    if (node.content !== undefined) return node.content
    if (node.bytes === undefined) this.#give(node, this.#read(node.cid!, node.layer))
    this.opened++
    return (node.content = this.#decode(node))
  }

  /** The node with its bytes: itself, or a copy that nothing but the caller holds. */
  resident(node: Node): Node {
    if (node.bytes !== undefined) return node
    const copy = new Node(node.layer, node.cid, undefined)
    this.#give(copy, this.#read(node.cid!, node.layer))
    return copy
  }

  /** The content of a resident node, not kept; neither are its children's. */
  peek(node: Node): Content {
    return node.content ?? this.#decode(node)
  }

  #read(cid: Cid, layer: number): ReadonlyArray<Uint8Array> {
    const blocks = this.#reader.read(cid, layer)
    if (blocks === undefined || blocks.length === 0) throw new MissingBlock(cid)
    return blocks
  }

  #give(node: Node, blocks: ReadonlyArray<Uint8Array>): void {
    node.bytes = blocks[0]!
    if (blocks.length === 1) return
    const sizes = blocks.map(() => 0)
    if (measure(blocks, sizes, 0, node.layer) !== blocks.length) throw malformed()
    node.segment = { blocks, sizes }
  }

  #decode(node: Node): Content {
    const { layer, segment } = node
    const { keys, values, links } = decodeNode(node.bytes!, layer)
    if (this.#verify) verify(node, keys)
    const within = segment !== undefined && !isClusterTop(layer - 1) ? segment : undefined
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
      }
      children.push(child)
    }
    return { keys, values, children }
  }
}

const malformed = (): InvalidNode => new InvalidNode("not the nodes of one cluster")

/** Finds the size of each subtree inside a cluster; returns the place after the one that begins at `at`. */
const measure = (
  blocks: ReadonlyArray<Uint8Array>,
  sizes: Array<number>,
  at: number,
  layer: number
): number => {
  const block = blocks[at]
  if (block === undefined) throw malformed()
  let next = at + 1
  if (layer > 0 && !isClusterTop(layer - 1)) {
    for (let left = countChildren(block); left > 0; left--) {
      next = measure(blocks, sizes, next, layer - 1)
    }
  }
  sizes[at] = next - at
  return next
}

/** The checks that a store's own nodes need not pass again, because they cost hashes. */
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

/** The nodes of the cluster that a node begins, in pre-order, and the tops of the clusters below. */
export const clusterNodes = (loader: Loader, top: Node, below?: Array<Node>): Array<Uint8Array> => {
  const blocks: Array<Uint8Array> = []
  collect(loader, loader.resident(top), blocks, below)
  return blocks
}

const collect = (
  loader: Loader,
  node: Node,
  blocks: Array<Uint8Array>,
  below: Array<Node> | undefined
): void => {
  const { segment } = node
  // Unread nodes lie together in the cluster they came in, and nothing of them has changed.
  if (node.content === undefined && segment !== undefined && below === undefined) {
    const end = node.place + segment.sizes[node.place]!
    for (let i = node.place; i < end; i++) blocks.push(segment.blocks[i]!)
    return
  }
  blocks.push(node.bytes!)
  const inside = node.layer > 0 && !isClusterTop(node.layer - 1)
  if (!inside && below === undefined) return
  for (const child of loader.peek(node).children) {
    if (child === undefined) continue
    if (inside) collect(loader, loader.resident(child), blocks, below)
    else below?.push(child)
  }
}
