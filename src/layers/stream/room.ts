import type { Subscriber } from "./feed.ts"

/**
 * Bounds of what all connections together may hold in memory: bytes that were sent and perhaps not read.
 *
 * Each connection may hold `free` bytes beside, which do not count. A cap of connections bounds those.
 */
export const unread = {
  free: 200_000,
  /** Past this, replays wait and the connection that owes the most is closed. */
  replay: 24_000_000,
  /** Past this, live subscribers wait as well: they read on from the log once there is room. */
  live: 48_000_000,
  /** The next connection is closed only after so long, where the last one has not gone yet, in milliseconds. */
  pause: 10_000,
  /** A connection that was closed and has not answered after so long does not read, in milliseconds. */
  patience: 30_000
}

/** A subscriber with what the bounds ask of its connection. */
export interface Connected extends Subscriber {
  /** False once the stream has ended, though the connection may not be gone. */
  readonly isOpen: boolean
  /** When the server closed it, in milliseconds. */
  readonly closedAt: number | undefined
  /** Bytes that it was sent and perhaps has not read. */
  readonly owed: number
  readonly since: number
  readonly network: string | undefined
  /** Ends the stream because others need its room; the reader comes back by its cursor. */
  letGo(): void
}

/** What counts of that which one connection owes. */
export const counted = ({ owed }: Connected): number => Math.max(0, owed - unread.free)

/** What counts of all that connections owe. */
export const owedBy = (connected: Iterable<Connected>): number => {
  let sum = 0
  for (const one of connected) sum += counted(one)
  return sum
}

/** Closes the connection that owes the most, unless one that was closed is still on its way out. */
export const letGoOfMost = (connected: ReadonlyArray<Connected>, now: number): void => {
  let most: Connected | undefined
  for (const one of connected) {
    if (counted(one) === 0) continue
    if (!one.isOpen && now - (one.closedAt ?? now) < unread.pause) return
    if (one.isOpen && (most === undefined || one.owed > most.owed)) most = one
  }
  most?.letGo()
}

/** The bytes that closed connections hold which have not read them in all this time. */
export const stuckBytes = (connected: Iterable<Connected>, now: number): number => {
  const isStuck = ({ isOpen, closedAt }: Connected) =>
    !isOpen && closedAt !== undefined && now - closedAt >= unread.patience
  return owedBy([...connected].filter(isStuck))
}
