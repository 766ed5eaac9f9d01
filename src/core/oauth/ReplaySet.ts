/**
 * Remembers used keys until they expire, so each works once; bounded.
 *
 * When it is full of valid keys, it drops the oldest tenth, which could then be used again.
 */
export class ReplaySet {
  readonly #used = new Map<string, number>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#used.size
  }

  /** Uses a key that is valid up to and including `expires`; false if it was used before. */
  use(key: string, expires: number, now: number): boolean {
    const used = this.#used.get(key)
    if (used !== undefined && used >= now) return false
    if (this.#used.size >= this.#capacity) this.#makeRoom(now)
    // Deleted first to keep the keys in order of use.
    this.#used.delete(key)
    this.#used.set(key, expires)
    return true
  }

  #makeRoom(now: number): void {
    for (const [key, expires] of this.#used) if (expires < now) this.#used.delete(key)
    for (const key of this.#used.keys()) {
      if (this.#used.size <= this.#capacity * 0.9) break
      this.#used.delete(key)
    }
  }
}
