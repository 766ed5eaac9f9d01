/** Bytes that the parts of all uploads of unknown length may take in an isolate of 128 MB. */
const partBytes = 40 * 1024 * 1024

/**
 * An upload without progress for this long is considered dead, in milliseconds: workerd may end a
 * request without notice.
 */
const idleMillis = 60_000

/** The memory of one upload. */
interface Lease {
  bytes: number
  touched: number
}

/** Limits the memory that an isolate's uploads share; each takes what it needs or is rejected. */
export class PartBudget {
  readonly #limit: number
  readonly #leases = new Set<Lease>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The bytes that uploads hold. */
  get taken(): number {
    let sum = 0
    for (const { bytes } of this.#leases) sum += bytes
    return sum
  }

  /** Starts an upload, which holds nothing yet. */
  open(now: number): Lease {
    const lease = { bytes: 0, touched: now }
    this.#leases.add(lease)
    return lease
  }

  /** Sets how much an upload holds; false if there is no room. */
  hold(lease: Lease, bytes: number, now: number): boolean {
    lease.touched = now
    this.#leases.add(lease)
    const wanted = bytes - lease.bytes
    if (this.taken + wanted > this.#limit) this.#forgetIdle(now)
    if (this.taken + wanted > this.#limit) return false
    lease.bytes = bytes
    return true
  }

  /** Ends an upload. */
  close(lease: Lease): void {
    this.#leases.delete(lease)
  }

  #forgetIdle(now: number): void {
    for (const lease of this.#leases) {
      if (now - lease.touched > idleMillis) this.#leases.delete(lease)
    }
  }
}

export type { Lease }

/** The budget of this isolate; only numbers, so it may outlive requests. */
export const isolateParts = new PartBudget(partBytes)
