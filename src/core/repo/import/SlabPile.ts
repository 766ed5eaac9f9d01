import { doubled } from "./Pile.ts"

/** Size of a slab. Small, because reading one node in random order loads a whole slab. */
const slabBytes = 0x8000

/** How many slabs stay in memory, 4 MB. */
const kept = 128

/** Stores slabs that exceed the memory limit. */
export interface SlabStore {
  write(number: number, slab: Uint8Array): void
  read(number: number): Uint8Array
}

/**
 * Numbered byte strings, most of them in a store; memory is bounded except for 8 bytes a string.
 */
export class SlabPile {
  readonly #store: SlabStore
  /** The slabs in memory, most recently used last. */
  readonly #slabs = new Map<number, Uint8Array>()
  readonly #written = new Set<number>()
  #starts = new Uint32Array(0x400)
  #lengths = new Uint32Array(0x400)
  #count = 0
  #bytes = 0
  #open = new Uint8Array(slabBytes)
  #openNumber = 0
  #at = 0

  constructor(store: SlabStore) {
    this.#store = store
  }

  /** How many strings there are; numbers start at 0. */
  get count(): number {
    return this.#count
  }

  /** Total length, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds a copy. */
  push(bytes: Uint8Array): void {
    if (this.#count === this.#starts.length) {
      this.#starts = doubled(this.#starts)
      this.#lengths = doubled(this.#lengths)
    }
    if (this.#at > 0 && this.#at + bytes.length > this.#open.length) this.#seal()
    // A string larger than a slab gets a slab of its own size.
    if (bytes.length > this.#open.length) this.#open = new Uint8Array(bytes.length)
    this.#open.set(bytes, this.#at)
    this.#starts[this.#count] = this.#openNumber * slabBytes + this.#at
    this.#lengths[this.#count] = bytes.length
    this.#at += bytes.length
    this.#bytes += bytes.length
    this.#count++
    if (this.#at >= this.#open.length) this.#seal()
  }

  /** One string, as a view. */
  get(number: number): Uint8Array {
    const start = this.#starts[number]!
    const within = start % slabBytes
    const slab = this.#slab(Math.floor(start / slabBytes))
    return slab.subarray(within, within + this.#lengths[number]!)
  }

  #slab(number: number): Uint8Array {
    if (number === this.#openNumber) return this.#open
    const slab = this.#slabs.get(number) ?? this.#store.read(number)
    this.#slabs.delete(number)
    this.#keep(number, slab)
    return slab
  }

  #seal(): void {
    this.#keep(this.#openNumber, this.#open.subarray(0, this.#at))
    this.#open = new Uint8Array(slabBytes)
    this.#openNumber++
    this.#at = 0
  }

  #keep(number: number, slab: Uint8Array): void {
    this.#slabs.set(number, slab)
    if (this.#slabs.size <= kept) return
    const [oldest, bytes] = this.#slabs.entries().next().value!
    this.#slabs.delete(oldest)
    if (this.#written.has(oldest)) return
    this.#store.write(oldest, bytes)
    this.#written.add(oldest)
  }
}
