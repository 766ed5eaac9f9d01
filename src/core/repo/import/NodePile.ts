import { sameBytes } from "../../bytes/bytes.ts"
import type { Block } from "../car.ts"
import { InvalidCar } from "../carParser.ts"
import { sha256 } from "../cid.ts"
import { maxNodeEntries } from "../limits.ts"
import type { NodeReader } from "../mst/loader.ts"
import { InvalidNode } from "../mst/node.ts"
import { DigestTable } from "./DigestTable.ts"
import { RepoTooLarge } from "./RepoTooLarge.ts"
import { SlabPile, type SlabStore } from "./SlabPile.ts"

/** Total bytes of tree nodes that an import accepts; only a few stay in memory. */
export const maxNodeBytes = 64_000_000

/** Whether a block starts like a tree node; a record may start like that too. */
export const looksLikeNode = (bytes: Uint8Array): boolean =>
  bytes[0] === 0xa2 && bytes[1] === 0x61 && bytes[2] === 0x65

/** The node's entry count, as far as its first two bytes tell. */
const entries = (node: Uint8Array): number => {
  const head = node[3]!
  if (head < 0x99) return head === 0x98 ? node[4]! : head - 0x80
  return head === 0x99 ? node[4]! * 256 + node[5]! : 0x1_0000
}

/** The tree nodes of a CAR, in any order. */
export class NodePile {
  readonly #digests = new DigestTable()
  readonly #blocks: SlabPile

  /** Writes nodes to `store` when they exceed its memory. */
  constructor(store: SlabStore) {
    this.#blocks = new SlabPile(store)
  }

  /** Keeps a copy of the block if it may be a node; throws InvalidCar and RepoTooLarge. */
  offer({ cid, bytes }: Block): void {
    if (!looksLikeNode(bytes)) return
    if (!sameBytes(sha256(bytes), cid.digest)) {
      throw new InvalidCar(`block ${cid} does not match its digest`)
    }
    if (this.#digests.add(cid.digest) < this.#blocks.count) return
    this.#blocks.push(bytes)
    if (this.#blocks.bytes > maxNodeBytes) {
      throw new RepoTooLarge(`its tree takes more than ${maxNodeBytes} bytes`)
    }
  }

  /** Reads nodes for a tree; throws InvalidNode for a node with more keys than chance produces. */
  readonly reader: NodeReader = {
    read: ({ digest }) => {
      const number = this.#digests.find(digest)
      if (number < 0) return undefined
      const node = this.#blocks.get(number)
      if (entries(node) > maxNodeEntries) {
        throw new InvalidNode("more keys than chance puts in a node")
      }
      return { blocks: [node] }
    }
  }
}
