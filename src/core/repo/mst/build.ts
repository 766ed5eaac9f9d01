import { Cid } from "../cid.ts"
import { encodeCluster } from "./clusterCodec.ts"
import { checkMstKey, keyLayer } from "./key.ts"
import type { Cluster } from "./clusters.ts"
import { clusterParts, isClusterTop, Loader, rootRow } from "./loader.ts"
import { emptyNode, InvalidNode, Node, seal } from "./node.ts"

/** A node that still grows on its right. */
interface Open {
  readonly keys: Array<string>
  readonly values: Array<Cid>
  readonly children: Array<Node | undefined>
}

/**
 * Builds a tree from keys in ascending order, and finishes each node as soon as no key can be added
 * to it.
 */
class Builder {
  readonly #open: Array<Open | undefined> = []
  readonly #finished: (node: Node) => Node
  #last = ""

  /** `finished` may replace a finished node with an equivalent one. */
  constructor(finished: (node: Node) => Node) {
    this.#finished = finished
  }

  add(key: string, value: Cid): void {
    checkMstKey(key)
    if (key <= this.#last) throw new InvalidNode("keys out of order")
    this.#last = key
    const layer = keyLayer(key)
    const below = this.#closeBelow(layer)
    const open = (this.#open[layer] ??= { keys: [], values: [], children: [] })
    open.children.push(below)
    open.keys.push(key)
    open.values.push(value)
  }

  finish(): Node {
    const top = this.#open.length - 1
    if (top < 0) return emptyNode()
    return this.#close(top, this.#closeBelow(top))!
  }

  #closeBelow(layer: number): Node | undefined {
    let below: Node | undefined
    for (let i = 0; i < layer; i++) below = this.#close(i, below)
    return below
  }

  #close(layer: number, last: Node | undefined): Node | undefined {
    const open = this.#open[layer] ?? { keys: [], values: [], children: [] }
    if (open.keys.length === 0 && last === undefined) return undefined
    this.#open[layer] = undefined
    open.children.push(last)
    return this.#finished(new Node(layer, undefined, open))
  }
}

/** A key with its record's CID. */
export type MstEntry = readonly [key: string, value: Cid]

/** Builds a tree from entries in ascending key order, entirely in memory, and returns the root. */
export const buildTree = (entries: Iterable<MstEntry>, loader: Loader): Node => {
  const builder = new Builder((node) => {
    loader.opened++
    return node
  })
  for (const [key, value] of entries) builder.add(key, value)
  return builder.finish()
}

/**
 * Builds a tree from entries in ascending key order and yields its clusters as they are finished;
 * memory is proportional to the tree's depth. Returns the root.
 */
export function* buildClusters(entries: Iterable<MstEntry>): Generator<Cluster, Cid> {
  const loader = new Loader({ read: () => undefined }, false)
  const ready: Array<Cluster> = []
  let last = rootRow
  const clusterOf = (top: Node, row: number): Cluster => {
    const cid = seal(top)
    const { blocks, rows } = clusterParts(loader, top, (child) => child.row!)
    return { cid, bytes: encodeCluster(blocks), row, below: rows }
  }
  const builder = new Builder((node) => {
    if (!isClusterTop(node.layer)) return node
    const row = ++last
    ready.push(clusterOf(node, row))
    const stored = new Node(node.layer, node.cid, undefined)
    stored.row = row
    return stored
  })
  for (const [key, value] of entries) {
    builder.add(key, value)
    yield* ready.splice(0)
  }
  const root = builder.finish()
  // The last one finished is the root, which has a fixed row.
  if (isClusterTop(root.layer)) ready.push({ ...ready.pop()!, row: rootRow })
  else ready.push(clusterOf(root, rootRow))
  yield* ready
  return root.cid!
}
