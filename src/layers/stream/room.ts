/**
 * Limits on the memory of all connections together: bytes sent but possibly unread.
 *
 * Each connection may hold `free` more bytes, which don't count; the limit of connections bounds
 * those.
 */
export const unread = {
  free: 200_000,
  /** Above this, replays wait and the connection that owes the most is closed. */
  replay: 24_000_000,
  /** Above this, live subscribers wait too and later continue from the log. */
  live: 48_000_000,
  /** Time until another connection is closed if the last one hasn't gone, in milliseconds. */
  pause: 10_000,
  /** A closed connection without a reply for this long does not read, in milliseconds. */
  patience: 30_000
}

/** One connection of subscribeRepos. */
export interface Subscriber {
  /**
   * The last sequence number it was sent while it catches up; "live" once it gets events as they
   * occur.
   */
  position: number | "live"
  send(frame: Uint8Array): void
  close(code: number, reason: string): void
}

/** A subscriber with what these limits need to know of its connection. */
export interface Connected extends Subscriber {
  /** False once the stream has ended, though the connection may still be open. */
  readonly isOpen: boolean
  /** When the server closed it, in milliseconds. */
  readonly closedAt: number | undefined
  /** Bytes sent but possibly unread. */
  readonly owed: number
  readonly since: number
  readonly network: string | undefined
  /** Ends the stream because others need the room; the reader reconnects with its cursor. */
  letGo(): void
}

/** The bytes that one connection owes towards the limit. */
export const counted = ({ owed }: Connected): number => Math.max(0, owed - unread.free)

/** The bytes that all connections owe towards the limit. */
export const owedBy = (connected: Iterable<Connected>): number => {
  let sum = 0
  for (const one of connected) sum += counted(one)
  return sum
}

/** Closes the connection that owes the most, unless a closed one is still ending. */
export const letGoOfMost = (connected: ReadonlyArray<Connected>, now: number): void => {
  let most: Connected | undefined
  for (const one of connected) {
    if (counted(one) === 0) continue
    if (!one.isOpen && now - (one.closedAt ?? now) < unread.pause) return
    if (one.isOpen && (most === undefined || one.owed > most.owed)) most = one
  }
  most?.letGo()
}

/** The bytes of closed connections that still haven't read them. */
export const stuckBytes = (connected: Iterable<Connected>, now: number): number => {
  const isStuck = ({ isOpen, closedAt }: Connected) =>
    !isOpen && closedAt !== undefined && now - closedAt >= unread.patience
  return owedBy([...connected].filter(isStuck))
}
