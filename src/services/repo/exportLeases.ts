/** Exports at once: of one account, of one account to one network, to one network, and in all of this isolate. */
const limits = { account: 8, accountNetwork: 4, network: 16, all: 32 }

/** Exports beyond the limits that owners and the administrator may run, in this isolate. */
const reserved = 8

/** A reader slower than this gives its place up when others want it, in bytes a second, once it had time to begin. */
const slowest = 64 * 1024
const beginning = 10_000

/** After so long without a sign of life an export counts as gone, ms: workerd may end one without a word. */
const idleMillis = 90_000

/** Who asks for an export. */
export interface Exporting {
  readonly did: string
  /** The address of the client, where somebody tells it. */
  readonly network: string | undefined
  /** The owner, or the administrator: no stranger takes their place. */
  readonly isOwner: boolean
}

/** An export that runs. */
export interface ExportLease extends Exporting {
  readonly began: number
  sent: number
  touched: number
  /** Somebody else has its place: it has to end. */
  isRevoked: boolean
}

const rateOf = ({ began, sent }: ExportLease, now: number): number =>
  (sent * 1000) / Math.max(1, now - began)

/** Counts the exports that run at once, because a reader that reads nothing holds memory. */
export class ExportLeases {
  readonly #leases = new Set<ExportLease>()

  /** How many exports run. */
  get size(): number {
    return this.#leases.size
  }

  /** Begins an export; undefined where there is no room, and nobody reads too slowly to keep a place. */
  take(who: Exporting, now: number): ExportLease | undefined {
    for (const lease of this.#leases) {
      if (now - lease.touched > idleMillis) this.end(lease)
    }
    for (const [limit, rivals] of this.#rivals(who)) {
      if (rivals.length >= limit && !this.#makeRoom(rivals, now)) return undefined
    }
    const lease = { ...who, began: now, sent: 0, touched: now, isRevoked: false }
    this.#leases.add(lease)
    return lease
  }

  /** Notes that the reader has taken so many bytes more. */
  passed(lease: ExportLease, bytes: number, now: number): void {
    lease.sent += bytes
    lease.touched = now
  }

  /** Ends an export. */
  end(lease: ExportLease): void {
    this.#leases.delete(lease)
  }

  #rivals({ did, network, isOwner }: Exporting): Array<[number, ReadonlyArray<ExportLease>]> {
    const all = [...this.#leases]
    if (isOwner) return [[limits.all + reserved, all]]
    const same = all.filter((lease) => lease.did === did && !lease.isOwner)
    const near = all.filter((lease) => network !== undefined && lease.network === network)
    return [
      [limits.account, same],
      [limits.accountNetwork, same.filter((lease) => near.includes(lease))],
      [limits.network, near],
      [limits.all, all]
    ]
  }

  /** Ends the slowest of them, if it is too slow. */
  #makeRoom(rivals: ReadonlyArray<ExportLease>, now: number): boolean {
    const [slow] = rivals
      .filter((lease) => now - lease.began >= beginning && rateOf(lease, now) < slowest)
      .toSorted((one, other) => rateOf(one, now) - rateOf(other, now))
    if (slow === undefined) return false
    slow.isRevoked = true
    this.end(slow)
    return true
  }
}

/** The exports of this isolate: they outlive requests, and are numbers and names alone. */
export const isolateExports = new ExportLeases()
