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
 * The Merkle search tree of a repo: record keys in order, each with its record's CID. Trees are
 * immutable: a change returns a new tree that shares all untouched nodes.
 */
export class Tree {
  /** The root, for functions outside of this class. */
  readonly rootNode: Node
  /** Reads nodes, for functions outside of this class. */
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
   * The tree with this root, which reads nodes when it needs them; throws MissingBlock. Load a tree
   * from outside with `verify`, which checks digests, keys and layers.
   */
  static load(reader: NodeReader, root: Cid, options?: { readonly verify?: boolean }): Tree {
    const loader = new Loader(reader, options?.verify ?? false)
    return new Tree(loader.root(root), loader)
  }

  /** Builds a tree from entries in ascending key order, in linear time. */
  static build(entries: Iterable<MstEntry>): Tree {
    const loader = new Loader(nowhere, false)
    return new Tree(buildTree(entries, loader), loader)
  }

  /** The layer of the root. */
  get layer(): number {
    return this.rootNode.layer
  }

  /**
   * About how many decoded nodes this tree and the trees it came from hold, at 3 to 4 KB each. To
   * bound memory, drop the tree at a limit and load it again from its root.
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

  /** The tree with a record added or replaced; throws InvalidMstKey. */
  put(key: string, value: Cid): Tree {
    checkMstKey(key)
    return this.#with(put(this.loader, this.rootNode, key, value))
  }

  /** The tree without a key; throws MissingKey if it has no such key. */
  delete(key: string): Tree {
    checkMstKey(key)
    return this.#with(remove(this.loader, this.rootNode, key))
  }

  #with(root: Node): Tree {
    return root === this.rootNode ? this : new Tree(root, this.loader)
  }

  /** The root's CID; encodes changed nodes first. */
  root(): Cid {
    return seal(this.rootNode)
  }

  /**
   * Keys and record CIDs after `from` (exclusive), ascending; with `reverse`, those before it,
   * descending.
   */
  entries(from?: string, reverse = false): Generator<[key: string, value: Cid]> {
    this.root()
    return entries(this.loader, this.rootNode, from, reverse)
  }
}
