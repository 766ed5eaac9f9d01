import { sameBytes } from "../../bytes/bytes.ts"
import { CarParser, InvalidCar } from "../carParser.ts"
import { type Cid, dagCbor, sha256 } from "../cid.ts"
import { decodeForeignCommit, type ForeignCommit, InvalidCommit } from "../commit.ts"
import { tidToMicros } from "../tid.ts"
import { NodePile } from "./NodePile.ts"
import type { SlabStore } from "./SlabPile.ts"

/** A later rev (the year 2255) would leave no room for a rev above it. */
const latest = Number.MAX_SAFE_INTEGER - 1_000_000

/** The first pass over a repo's CAR: its commit and its tree, with the blocks in any order. */
export class TreeReading {
  readonly #parser = new CarParser({ isLenient: true })
  #root: Cid | undefined
  #commit: Uint8Array | undefined
  /** The tree's nodes, and other blocks that look like nodes. */
  readonly nodes: NodePile

  /** Writes nodes to `store` when they exceed its memory. */
  constructor(store: SlabStore) {
    this.nodes = new NodePile(store)
  }

  /** Adds the next piece of the file; throws InvalidCar and RepoTooLarge. */
  push(piece: Uint8Array): void {
    this.#parser.push(piece)
    const root = (this.#root ??= this.#onlyRoot())
    if (root === undefined) return
    for (let block = this.#parser.next(); block !== undefined; block = this.#parser.next()) {
      if (block.cid.equals(root)) this.#commit ??= block.bytes.slice()
      else this.nodes.offer(block)
    }
  }

  /**
   * The commit of the complete file, checked to be for `did`; throws InvalidCar and InvalidCommit.
   */
  end(did: string): ForeignCommit {
    this.#parser.end()
    const block = this.#commit
    if (block === undefined) throw new InvalidCar("the block of its root is missing")
    if (!sameBytes(sha256(block), this.#root!.digest)) {
      throw new InvalidCar(`block ${this.#root} does not match its digest`)
    }
    const commit = decodeForeignCommit(block)
    if (commit.did !== did) throw new InvalidCommit(`the commit is of ${commit.did}, not of ${did}`)
    if (commit.rev !== undefined && tidToMicros(commit.rev) > latest) {
      throw new InvalidCommit("a rev that nothing can follow")
    }
    return commit
  }

  #onlyRoot(): Cid | undefined {
    const { roots } = this.#parser
    if (roots === undefined) return undefined
    const [root, ...others] = roots
    // Some tools list the single root twice.
    if (root === undefined || others.some((other) => !other.equals(root))) {
      throw new InvalidCar(`it must have one root, and has ${roots.length}`)
    }
    if (root.codec !== dagCbor) throw new InvalidCar("its root is no commit")
    return root
  }
}
