import type { Cid } from "../cid.ts"
import type { MstEntry } from "./build.ts"
import { buildTree } from "./build.ts"
import { put, remove } from "./edit.ts"
import { entries } from "./entries.ts"
import { checkMstKey, lowerBound } from "./key.ts"
import type { NodeReader } from "./loader.ts"
import { Loader } from "./loader.ts"
import type { Node } from "./node.ts"
import { emptyNode, seal } from "./node.ts"

const nowhere: NodeReader = { read: () => undefined }

/**
 * The Merkle search tree of a repo: record keys in order, each with its record's CID. A tree never
 * changes; a change makes another tree that shares all untouched nodes, read or unread.
 */
export class Tree {
  /** The root, for the functions beside this class. */
  readonly rootNode: Node
  /** What reads nodes, for the functions beside this class. */
  readonly loader: Loader

  private constructor(rootNode: Node, loader: Loader) {
    this.rootNode = rootNode
    this.loader = loader
  }

  /** The tree without keys. */
  static empty(): Tree {
    return new Tree(emptyNode(), new Loader(nowhere, false))
  }

  /**
   * The tree with this root, whose nodes are read as they are needed; throws MissingBlock. A tree
   * from outside is to be loaded with `verify`: digests, keys and their layers are then checked.
   */
  static load(reader: NodeReader, root: Cid, options?: { readonly verify?: boolean }): Tree {
    const loader = new Loader(reader, options?.verify ?? false)
    return new Tree(loader.root(root), loader)
  }

  /** The tree of these entries, which come in rising order of keys; linear. */
  static build(entries: Iterable<MstEntry>): Tree {
    const loader = new Loader(nowhere, false)
    return new Tree(buildTree(entries, loader), loader)
  }

  /** The layer of the root. */
  get layer(): number {
    return this.rootNode.layer
  }

  /**
   * About how many nodes this tree and its forerunners hold decoded, at 3 to 4 KB each. An owner who
   * bounds memory drops the tree when the number is too great, and loads it afresh from its root.
   */
  get loadedNodes(): number {
    return this.loader.opened
  }

  /** The CID of a key's record, or undefined. */
  get(key: string): Cid | undefined {
    for (let node: Node | undefined = this.rootNode; node !== undefined;) {
      const { keys, values, children }: ReturnType<Loader["open"]> = this.loader.open(node)
      const at = lowerBound(keys, key)
      if (keys[at] === key) return values[at]
      node = children[at]
    }
    return undefined
  }

  /** The tree with a key set to a record; throws InvalidMstKey. */
  put(key: string, value: Cid): Tree {
    checkMstKey(key)
    return this.#with(put(this.loader, this.rootNode, key, value))
  }

  /** The tree without a key; throws MissingKey when it has none. */
  delete(key: string): Tree {
    checkMstKey(key)
    return this.#with(remove(this.loader, this.rootNode, key))
  }

  #with(root: Node): Tree {
    return root === this.rootNode ? this : new Tree(root, this.loader)
  }

  /** The root's CID; encodes whatever is not yet encoded. */
  root(): Cid {
    return seal(this.rootNode)
  }

  /** Keys with their records after `from` (exclusive) in order; before it, falling, in reverse. */
  entries(from?: string, reverse = false): Generator<[key: string, value: Cid]> {
    this.root()
    return entries(this.loader, this.rootNode, from, reverse)
  }
}
