const digestBytes = 32
const slabDigests = 0x8000

/**
 * Numbers digests in order of first appearance: a hash table over plain arrays, 40 to 50 bytes a
 * digest.
 *
 * A Map of strings takes four times as much, which importing a large repo cannot afford.
 */
export class DigestTable {
  readonly #slabs: Array<Uint8Array> = []
  /** Each digest's number plus one; 0 marks a free slot. */
  #slots = new Uint32Array(0x400)
  #count = 0

  /** How many distinct digests there are; numbers start at 0. */
  get count(): number {
    return this.#count
  }

  /** The table's memory, in bytes. */
  get memory(): number {
    return this.#slabs.length * slabDigests * digestBytes + this.#slots.byteLength
  }

  /** The digest's number, or -1. */
  find(digest: Uint8Array): number {
    return this.#slots[this.#slotOf(digest, 0)]! - 1
  }

  /** The digest's number; equals the previous count if the digest is new. */
  add(digest: Uint8Array): number {
    const slot = this.#slotOf(digest, 0)
    const known = this.#slots[slot]!
    if (known > 0) return known - 1
    const number = this.#count++
    const within = number % slabDigests
    if (within === 0) this.#slabs.push(new Uint8Array(slabDigests * digestBytes))
    this.#slabs.at(-1)!.set(digest, within * digestBytes)
    this.#slots[slot] = number + 1
    if (this.#count * 2 > this.#slots.length) this.#grow()
    return number
  }

  /** The slot that holds the digest at this offset, or the free slot for it. */
  #slotOf(bytes: Uint8Array, at: number): number {
    const mask = this.#slots.length - 1
    // A digest's bytes are as good as random.
    const last = at + digestBytes - 1
    let slot = bytes[last]! | (bytes[last - 1]! << 8) | (bytes[last - 2]! << 16)
    slot = (slot ^ (bytes[last - 3]! << 23)) & mask
    for (let known = this.#slots[slot]!; known > 0; known = this.#slots[slot]!) {
      if (this.#isAt(known - 1, bytes, at)) return slot
      slot = (slot + 1) & mask
    }
    return slot
  }

  #isAt(number: number, bytes: Uint8Array, at: number): boolean {
    const slab = this.#slabs[Math.floor(number / slabDigests)]!
    const start = (number % slabDigests) * digestBytes
    for (let i = 0; i < digestBytes; i++) if (slab[start + i] !== bytes[at + i]) return false
    return true
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2)
    for (let number = 0; number < this.#count; number++) {
      const slab = this.#slabs[Math.floor(number / slabDigests)]!
      this.#slots[this.#slotOf(slab, (number % slabDigests) * digestBytes)] = number + 1
    }
  }
}
