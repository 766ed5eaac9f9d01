/** Ages of a cached value, in milliseconds. */
export interface StaleLimits {
  /** From this age on it is returned but refreshed in the background. */
  readonly stale: number
  /** From this age on it is not returned. */
  readonly expired: number
  /** Minimum time between two refreshes of an entry. */
  readonly retry: number
}

/** The size limits of a cache. */
export interface CacheBounds<A> {
  readonly entries: number
  /** A value's weight, in characters of text. */
  readonly weigh: (value: A) => number
  /** The maximum weight of all values, whose sizes others control. */
  readonly weight: number
}

interface Entry<A> {
  readonly value: A
  readonly weight: number
  readonly at: number
  refreshedAt: number
}

/**
 * A cache with limits on number, size and age.
 *
 * Holds only plain values: in a Worker no request may await a promise of another request.
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

  /** The cached value; `refresh` is true for the one caller who should renew it now. */
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

  /** The cached value, if nobody has to renew it. */
  fresh(key: string, now: number): A | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && now - entry.at < this.#limits.stale ? entry.value : undefined
  }

  /** Marks the start of a look-up; its result is only cached if nothing was forgotten since. */
  begin(): number {
    return this.#forgotten
  }

  /** Caches a value; drops the oldest entries beyond the limits. */
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

  /** Drops a value, and results in progress. */
  forget(key: string): void {
    this.#forgotten += 1
    this.#drop(key)
  }

  #drop(key: string): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0
    this.#entries.delete(key)
  }
}
