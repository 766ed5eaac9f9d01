const slabBytes = 0x10_0000

/** Numbered byte strings in slabs of a megabyte, at 8 bytes of overhead each. */
export class Pile {
  readonly #slabs: Array<Uint8Array> = []
  /** Where each string starts: the slab's number in megabytes, plus the offset in the slab. */
  #starts = new Uint32Array(0x400)
  #lengths = new Uint32Array(0x400)
  #count = 0
  #at = slabBytes
  #bytes = 0
  #slabsBytes = 0

  /** How many strings there are; numbers start at 0. */
  get count(): number {
    return this.#count
  }

  /** Total length, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** The pile's memory, in bytes. */
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
      // A string larger than a slab gets a slab of its own size.
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

  /** One string, as a view. */
  get(number: number): Uint8Array {
    const start = this.#starts[number]!
    const within = start % slabBytes
    const slab = this.#slabs[Math.floor(start / slabBytes)]!
    return slab.subarray(within, within + this.#lengths[number]!)
  }
}

/** A copy of the array with twice the length. */
export const doubled = (array: Uint32Array): Uint32Array<ArrayBuffer> => {
  const larger = new Uint32Array(array.length * 2)
  larger.set(array)
  return larger
}
