/** Bytes that the parts of all uploads of unknown length hold in one isolate, of 128 MB. */
const partBytes = 40 * 1024 * 1024

/** After so long without a sign of life an upload counts as gone, ms: workerd may end a request without a word. */
const idleMillis = 60_000

/** What one upload holds. */
interface Lease {
  bytes: number
  touched: number
}

/** Counts the memory that the uploads of an isolate share; each takes what it needs, or is refused. */
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

  /** Begins an upload, which holds nothing yet. */
  open(now: number): Lease {
    const lease = { bytes: 0, touched: now }
    this.#leases.add(lease)
    return lease
  }

  /** Sets what an upload holds, and says whether there was room for it. */
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

/** The budget of this isolate: it outlives requests, and holds numbers alone. */
export const isolateParts = new PartBudget(partBytes)
