import { type Cid, dagCbor } from "../cid.ts"
import { DigestTable } from "./DigestTable.ts"
import { doubled, Pile } from "./Pile.ts"

const utf8 = new TextEncoder()
const text = new TextDecoder()
const none = 0xffff_ffff

/** The records of a tree: from a record's CID to its paths. Packed into some 95 bytes a record. */
export class Leaves {
  readonly #digests = new DigestTable()
  readonly #paths = new Pile()
  /** A linked list of paths for each digest number, newest first. */
  #lastPath = new Uint32Array(0x400)
  #pathBefore = new Uint32Array(0x400)
  #waiting = 0

  /** How many records there are; records with equal content count separately. */
  get count(): number {
    return this.#paths.count
  }

  /** The index's memory, in bytes. */
  get memory(): number {
    const links = this.#lastPath.byteLength + this.#pathBefore.byteLength
    return this.#digests.memory + this.#paths.memory + links
  }

  /** How many distinct records have not been taken yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** Adds a record of the tree. */
  add(path: string, cid: Cid): void {
    const leaf = this.#paths.count
    this.#paths.push(utf8.encode(path))
    if (leaf === this.#pathBefore.length) this.#pathBefore = doubled(this.#pathBefore)
    const known = this.#digests.count
    const number = this.#digests.add(cid.digest)
    if (number === this.#lastPath.length) this.#lastPath = doubled(this.#lastPath)
    const isNew = number === known
    this.#pathBefore[leaf] = isNew ? none : this.#lastPath[number]!
    this.#lastPath[number] = leaf
    if (isNew) this.#waiting++
  }

  /**
   * The paths of a record whose block has arrived; empty the second time, and for a record outside
   * the tree.
   */
  *take(cid: Cid): Generator<string> {
    // The same bytes as a raw block have another CID, which the tree does not name.
    if (cid.codec !== dagCbor) return
    const number = this.#digests.find(cid.digest)
    if (number < 0) return
    let leaf = this.#lastPath[number]!
    if (leaf === none) return
    this.#lastPath[number] = none
    this.#waiting--
    for (; leaf !== none; leaf = this.#pathBefore[leaf]!) yield text.decode(this.#paths.get(leaf))
  }

  /** The path of a record whose block has not arrived. */
  missing(): string | undefined {
    for (let number = 0; number < this.#digests.count; number++) {
      const leaf = this.#lastPath[number]!
      if (leaf !== none) return text.decode(this.#paths.get(leaf))
    }
    return undefined
  }
}
