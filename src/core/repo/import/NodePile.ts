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

/** Bytes of tree nodes that an import takes, of which it holds a few in memory. */
export const maxNodeBytes = 64_000_000

/** Whether a block begins as tree nodes do; a record that does is none the less a record. */
export const looksLikeNode = (bytes: Uint8Array): boolean =>
  bytes[0] === 0xa2 && bytes[1] === 0x61 && bytes[2] === 0x65

/** How many entries a node says it has, as far as two bytes can say it. */
const entries = (node: Uint8Array): number => {
  const head = node[3]!
  if (head < 0x99) return head === 0x98 ? node[4]! : head - 0x80
  return head === 0x99 ? node[4]! * 256 + node[5]! : 0x1_0000
}

/** The tree nodes of a CAR, in whatever order they come. */
export class NodePile {
  readonly #digests = new DigestTable()
  readonly #blocks: SlabPile

  /** Nodes that memory has no room for go to the store. */
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

  /** Reads the nodes, as a tree asks for them; throws InvalidNode for one of more keys than chance makes. */
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
