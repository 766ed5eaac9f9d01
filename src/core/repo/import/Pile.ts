const slabBytes = 0x10_0000

/** Byte strings by their numbers, one after the other in slabs of a megabyte: 8 bytes each besides their own. */
export class Pile {
  readonly #slabs: Array<Uint8Array> = []
  /** Where each begins: the slab's number in megabytes, and the place in the slab. */
  #starts = new Uint32Array(0x400)
  #lengths = new Uint32Array(0x400)
  #count = 0
  #at = slabBytes
  #bytes = 0
  #slabsBytes = 0

  /** How many there are: their numbers begin at 0. */
  get count(): number {
    return this.#count
  }

  /** What they take together. */
  get bytes(): number {
    return this.#bytes
  }

  /** The memory that the pile takes, in bytes. */
  get memory(): number {
    return this.#slabsBytes + this.#starts.byteLength + this.#lengths.byteLength
  }

  /** Adds a copy. */
  push(bytes: Uint8Array): void {
    if (this.#count === this.#starts.length) {
      this.#starts = doubled(this.#starts)
      this.#lengths = doubled(this.#lengths)
    }
    if (this.#at >= slabBytes || this.#at + bytes.length > slabBytes) {
      // What is larger than a slab gets one of its own size.
      const slab = new Uint8Array(Math.max(slabBytes, bytes.length))
      this.#slabs.push(slab)
      this.#slabsBytes += slab.length
      this.#at = 0
    }
    this.#slabs.at(-1)!.set(bytes, this.#at)
    this.#starts[this.#count] = (this.#slabs.length - 1) * slabBytes + this.#at
    this.#lengths[this.#count] = bytes.length
    this.#at += bytes.length
    this.#bytes += bytes.length
    this.#count++
  }

  /** One of them, as a view. */
  get(number: number): Uint8Array {
    const start = this.#starts[number]!
    const within = start % slabBytes
    const slab = this.#slabs[Math.floor(start / slabBytes)]!
    return slab.subarray(within, within + this.#lengths[number]!)
  }
}

/** The same numbers in an array of twice the length. */
export const doubled = (array: Uint32Array): Uint32Array<ArrayBuffer> => {
  const larger = new Uint32Array(array.length * 2)
  larger.set(array)
  return larger
}
