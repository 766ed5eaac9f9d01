/** How old an answer may be, in milliseconds. */
export interface StaleLimits {
  /** From then on it is still given, but refreshed behind the scenes. */
  readonly stale: number
  /** From then on it is not given any more. */
  readonly expired: number
  /** The least time between two refreshes of one entry. */
  readonly retry: number
}

/** How much is remembered. */
export interface CacheBounds<A> {
  readonly entries: number
  /** What a value weighs, in characters of text. */
  readonly weigh: (value: A) => number
  /** What all values may weigh together: somebody else decides how long each one is. */
  readonly weight: number
}

interface Entry<A> {
  readonly value: A
  readonly weight: number
  readonly at: number
  refreshedAt: number
}

/**
 * Remembers answers, bounded in number, size and age.
 *
 * It holds plain values only: in a Worker no request may wait on a promise that another request made.
 */
export class StaleCache<A> {
  readonly #entries = new Map<string, Entry<A>>()
  readonly #limits: StaleLimits
  readonly #bounds: CacheBounds<A>
  #weight = 0
  #forgotten = 0

  constructor(limits: StaleLimits, bounds: CacheBounds<A>) {
    this.#limits = limits
    this.#bounds = bounds
  }

  /** The remembered answer; `refresh` is true for the one caller who should renew it now. */
  get(key: string, now: number): { readonly value: A; readonly refresh: boolean } | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const age = now - entry.at
    if (age >= this.#limits.expired) {
      this.#drop(key)
      return undefined
    }
    const refresh = age >= this.#limits.stale && now - entry.refreshedAt >= this.#limits.retry
    if (refresh) entry.refreshedAt = now
    return { value: entry.value, refresh }
  }

  /** Marks the start of a look-up; an answer is only kept if nothing was forgotten since. */
  begin(): number {
    return this.#forgotten
  }

  /** Keeps an answer; the oldest give way when there are too many, or they are too large. */
  set(key: string, value: A, now: number, begun: number): void {
    if (begun !== this.#forgotten) return
    this.#drop(key)
    const weight = key.length + this.#bounds.weigh(value)
    for (const oldest of this.#entries.keys()) {
      const isFull = this.#entries.size >= this.#bounds.entries
      if (!isFull && this.#weight + weight <= this.#bounds.weight) break
      this.#drop(oldest)
    }
    this.#entries.set(key, { value, weight, at: now, refreshedAt: now })
    this.#weight += weight
  }

  /** Drops an answer, and those that are on their way. */
  forget(key: string): void {
    this.#forgotten += 1
    this.#drop(key)
  }

  #drop(key: string): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0
    this.#entries.delete(key)
  }
}
