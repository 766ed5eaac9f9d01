/** How old an answer may be, in milliseconds. */
export interface StaleLimits {
  /** From then on it is still given, but refreshed behind the scenes. */
  readonly stale: number
  /** From then on it is not given any more. */
  readonly expired: number
  /** The least time between two refreshes of one entry. */
  readonly retry: number
}

interface Entry<A> {
  readonly value: A
  readonly at: number
  refreshedAt: number
}

/**
 * Remembers answers, bounded in number and age.
 *
 * It holds plain values only: in a Worker no request may wait on a promise that another request made.
 */
export class StaleCache<A> {
  readonly #entries = new Map<string, Entry<A>>()
  readonly #limits: StaleLimits
  readonly #capacity: number
  #forgotten = 0

  constructor(limits: StaleLimits, capacity: number) {
    this.#limits = limits
    this.#capacity = capacity
  }

  /** The remembered answer; `refresh` is true for the one caller who should renew it now. */
  get(key: string, now: number): { readonly value: A; readonly refresh: boolean } | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const age = now - entry.at
    if (age >= this.#limits.expired) {
      this.#entries.delete(key)
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

  /** Keeps an answer; the oldest gives way when there are too many. */
  set(key: string, value: A, now: number, begun: number): void {
    if (begun !== this.#forgotten) return
    this.#entries.delete(key)
    if (this.#entries.size >= this.#capacity) {
      const oldest = this.#entries.keys().next()
      if (oldest.done !== true) this.#entries.delete(oldest.value)
    }
    this.#entries.set(key, { value, at: now, refreshedAt: now })
  }

  /** Drops an answer, and those that are on their way. */
  forget(key: string): void {
    this.#forgotten += 1
    this.#entries.delete(key)
  }
}
