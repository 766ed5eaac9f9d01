import type { NodeReader } from "../../../core/repo/mst/loader.ts"
import { Tree } from "../../../core/repo/mst/Tree.ts"
import type { Head } from "../Repo.ts"
import type { Spent } from "./points.ts"

/** The part of a repo kept in memory; changed only after the transaction that it mirrors. */
export class RepoState {
  readonly did: string
  head: Head
  spent: Spent
  readonly collections: Set<string>
  readonly #reader: NodeReader
  #tree: Tree | undefined

  constructor(
    { did, head, spent }: { readonly did: string; readonly head: Head; readonly spent: Spent },
    collections: Iterable<string>,
    reader: NodeReader
  ) {
    this.did = did
    this.head = head
    this.spent = spent
    this.collections = new Set(collections)
    this.#reader = reader
  }

  /** Read on first use, so a repo that has lost its root can still be replaced. */
  get tree(): Tree {
    return (this.#tree ??= Tree.load(this.#reader, this.head.root))
  }

  set tree(next: Tree) {
    this.#tree = next
  }
}
