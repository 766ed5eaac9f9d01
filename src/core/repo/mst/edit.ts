import type { Cid } from "../cid.ts"
import { maxNodeEntries } from "../limits.ts"
import { keyLayer, lowerBound } from "./key.ts"
import type { Loader } from "./loader.ts"
import type { Content } from "./node.ts"
import { emptyNode, Node } from "./node.ts"

/** Thrown when a key to delete is not in the tree. */
export class MissingKey extends Error {
  override readonly name = "MissingKey"
}

/** Thrown for keys mined to crowd one node by their hashes. */
export class CrowdedNode extends Error {
  override readonly name = "CrowdedNode"
}

type Subtree = Node | undefined

const replaced = <A>(list: ReadonlyArray<A>, at: number, value: A): Array<A> => {
  const copy = list.slice()
  copy[at] = value
  return copy
}

const withChild = (node: Node, content: Content, at: number, child: Subtree): Node =>
  new Node(node.layer, undefined, {
    keys: content.keys,
    values: content.values,
    children: replaced(content.children, at, child)
  })

/** The root after setting a key; the same root if nothing changes. */
export const put = (loader: Loader, root: Node, key: string, value: Cid): Node => {
  const layer = keyLayer(key)
  const content = loader.open(root)
  if (content.keys.length === 0 && content.children[0] === undefined) return leaf(layer, key, value)
  if (layer <= root.layer) return insert(loader, root, { key, value, layer })
  const [left, right] = split(loader, root, key)
  loader.opened++
  return new Node(layer, undefined, {
    keys: [key],
    values: [value],
    children: [raise(loader, left, layer - 1), raise(loader, right, layer - 1)]
  })
}

const leaf = (layer: number, key: string, value: Cid): Node =>
  new Node(layer, undefined, { keys: [key], values: [value], children: [undefined, undefined] })

/** Puts empty nodes on top of a subtree until it reaches `layer`. */
const raise = (loader: Loader, node: Subtree, layer: number): Subtree => {
  let top = node
  while (top !== undefined && top.layer < layer) {
    loader.opened++
    top = new Node(top.layer + 1, undefined, { keys: [], values: [], children: [top] })
  }
  return top
}

interface Entry {
  readonly key: string
  readonly value: Cid
  readonly layer: number
}

const insert = (loader: Loader, node: Node, entry: Entry): Node => {
  const content = loader.open(node)
  const { keys, values, children } = content
  const at = lowerBound(keys, entry.key)
  if (keys[at] === entry.key) {
    if (values[at]!.equals(entry.value)) return node
    return new Node(node.layer, undefined, {
      keys,
      values: replaced(values, at, entry.value),
      children
    })
  }
  const child = children[at]
  if (entry.layer < node.layer) {
    const below =
      child === undefined
        ? raise(loader, newLeaf(loader, entry), node.layer - 1)
        : insert(loader, child, entry)
    return below === child ? node : withChild(node, content, at, below)
  }
  if (keys.length >= maxNodeEntries) throw new CrowdedNode("a node holds too many keys")
  return new Node(node.layer, undefined, {
    keys: keys.toSpliced(at, 0, entry.key),
    values: values.toSpliced(at, 0, entry.value),
    children: children.toSpliced(at, 1, ...split(loader, child, entry.key))
  })
}

const newLeaf = (loader: Loader, { key, value, layer }: Entry): Node => {
  loader.opened++
  return leaf(layer, key, value)
}

/** Splits a subtree at a key that it doesn't hold. */
const split = (loader: Loader, node: Subtree, key: string): [left: Subtree, right: Subtree] => {
  if (node === undefined) return [undefined, undefined]
  const { keys, values, children } = loader.open(node)
  const at = lowerBound(keys, key)
  const [left, right] = split(loader, children[at], key)
  if (at === 0 && left === undefined && right === children[0]) return [undefined, node]
  if (at === keys.length && right === undefined && left === children[at]) return [node, undefined]
  const before = part(node.layer, {
    keys: keys.slice(0, at),
    values: values.slice(0, at),
    children: [...children.slice(0, at), left]
  })
  const after = part(node.layer, {
    keys: keys.slice(at),
    values: values.slice(at),
    children: [right, ...children.slice(at + 1)]
  })
  if (before !== undefined && after !== undefined) loader.opened++
  return [before, after]
}

const part = (layer: number, content: Content): Subtree =>
  content.keys.length === 0 && content.children[0] === undefined
    ? undefined
    : new Node(layer, undefined, content)

/** The root after deleting a key; throws MissingKey. */
export const remove = (loader: Loader, root: Node, key: string): Node => {
  let top = removeFrom(loader, root, key)
  // The root is the highest node with keys: drop empty nodes above it.
  while (top !== undefined) {
    const { keys, children } = loader.open(top)
    if (keys.length > 0) return top
    loader.opened--
    top = children[0]
  }
  return emptyNode()
}

const removeFrom = (loader: Loader, node: Node, key: string): Subtree => {
  const content = loader.open(node)
  const { keys, values, children } = content
  const at = lowerBound(keys, key)
  const child = children[at]
  if (keys[at] === key) {
    return part(node.layer, {
      keys: keys.toSpliced(at, 1),
      values: values.toSpliced(at, 1),
      children: children.toSpliced(at, 2, merge(loader, child, children[at + 1]))
    })
  }
  if (child === undefined) throw new MissingKey(key)
  const below = removeFrom(loader, child, key)
  return below === undefined && keys.length === 0 ? undefined : withChild(node, content, at, below)
}

/** Joins two subtrees of the same layer that have no key between them. */
const merge = (loader: Loader, left: Subtree, right: Subtree): Subtree => {
  if (left === undefined) return right
  if (right === undefined) return left
  const a = loader.open(left)
  const b = loader.open(right)
  const middle = merge(loader, a.children[a.keys.length], b.children[0])
  loader.opened--
  return new Node(left.layer, undefined, {
    keys: [...a.keys, ...b.keys],
    values: [...a.values, ...b.values],
    children: [...a.children.slice(0, -1), middle, ...b.children.slice(1)]
  })
}
