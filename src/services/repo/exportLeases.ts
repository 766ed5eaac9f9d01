/**
 * Concurrent exports: of one account, of one account to one network, to one network, and in this
 * isolate.
 */
const limits = { account: 8, accountNetwork: 4, network: 16, all: 32 }

/** Extra exports in this isolate that only owners and the administrator may run. */
const reserved = 8

/** A slower reader loses its place when others want it, in bytes a second, after a grace period. */
const slowest = 64 * 1024
const beginning = 10_000

/**
 * An export without progress for this long is considered dead, in milliseconds: workerd may end one
 * without notice.
 */
const idleMillis = 90_000

/** The requester of an export. */
export interface Exporting {
  readonly did: string
  /** The client's address, if known. */
  readonly network: string | undefined
  /** True for the owner and the administrator, whose places strangers cannot take. */
  readonly isOwner: boolean
}

/** A running export. */
export interface ExportLease extends Exporting {
  readonly began: number
  sent: number
  touched: number
  /** True once another export took its place; it has to end. */
  isRevoked: boolean
}

const rateOf = ({ began, sent }: ExportLease, now: number): number =>
  (sent * 1000) / Math.max(1, now - began)

/** Limits concurrent exports, because a stalled reader holds memory. */
export class ExportLeases {
  readonly #leases = new Set<ExportLease>()

  /** How many exports are running. */
  get size(): number {
    return this.#leases.size
  }

  /** Starts an export; undefined if there is no room and no running one is too slow. */
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

  /** Notes that the reader received more bytes. */
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

  /** Ends the slowest export if it is too slow. */
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

/** The exports of this isolate; only numbers and names, so it may outlive requests. */
export const isolateExports = new ExportLeases()
