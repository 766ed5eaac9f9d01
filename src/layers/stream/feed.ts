import { errorFrame, infoFrame } from "../../core/repo/frame.ts"
import type { EventLog } from "./EventLog.ts"
import type { Numbered } from "./frames.ts"
import { type Connected, counted, letGoOfMost, owedBy, type Subscriber, unread } from "./room.ts"

/** What one turn of a replay may read and send. */
const page = { frames: 1000, bytes: 1_000_000 }

/** Concurrent replays; the others queue, so each gets far before it is closed. */
const replaysAtOnce = 4

/**
 * WebSocket close codes: for a violated rule (as the reference closes after an error frame), for a
 * fault of this server, and for a reader that did nothing wrong and should reconnect.
 */
export const closeCode = { policy: 1008, internal: 1011, comeBack: 1012 }

/** Sends an error frame and closes. */
const refuse = (
  subscriber: Subscriber,
  error: string,
  message: string,
  code = closeCode.policy
): void => {
  subscriber.send(errorFrame(error, message))
  subscriber.close(code, error)
}

/** Closes without an error: the reader reconnects with its cursor and loses nothing. */
export const askBack = (subscriber: Subscriber): void =>
  subscriber.close(closeCode.comeBack, "reconnect with your cursor")

/** Ends the stream of a consumer that is too slow. */
export const refuseTooSlow = (subscriber: Subscriber): void =>
  refuse(subscriber, "ConsumerTooSlow", "Stream consumer too slow")

/**
 * Starts a stream at its cursor: live without one, an error for one ahead of the log, a notice for
 * one before the oldest kept event. Returns false if the stream was rejected.
 */
export const begin = (
  log: EventLog,
  subscriber: Subscriber,
  cursor: number | undefined
): boolean => {
  // On storage that never held an event (a host restored from nothing) no cursor is ahead: sequence
  // numbers are times, so later ones are greater.
  if (cursor === undefined || log.newest === 0) {
    subscriber.position = "live"
    return true
  }
  if (cursor > log.newest) {
    refuse(subscriber, "FutureCursor", "Cursor in the future.")
    return false
  }
  subscriber.position = Math.max(cursor, 0)
  return true
}

/** Reports that events after the position were pruned, and continues after them. */
const skipPruned = (log: EventLog, subscriber: Subscriber, position: number): number => {
  if (position >= log.prunedTo) return position
  const message = "Requested cursor exceeded limit. Possibly missing events"
  subscriber.send(infoFrame("OutdatedCursor", message))
  return log.prunedTo
}

/** Reports a fault of the log to the operator. */
export type Report = (message: string, ...cause: ReadonlyArray<unknown>) => void

/**
 * Sends the next page of what a subscriber missed; true if it is live, or if the log cannot be read
 * and the stream has ended with an error.
 *
 * Reads the last page and turns live in the same turn, so no event is missed or sent twice.
 */
export const catchUp = (log: EventLog, subscriber: Subscriber, report: Report): boolean => {
  if (subscriber.position === "live") return true
  const position = skipPruned(log, subscriber, subscriber.position)
  let frames: ReadonlyArray<Numbered>
  try {
    frames = log.after(position, page)
  } catch (cause) {
    report(`the event log cannot be read after ${position}; a subscriber was closed`, cause)
    const message = `The events after ${position} cannot be read`
    refuse(subscriber, "InternalServerError", message, closeCode.internal)
    return true
  }
  for (const { frame } of frames) subscriber.send(frame)
  const last = frames.at(-1)?.seq ?? position
  const atHead = frames.length === 0 || last >= log.newest
  subscriber.position = atHead ? "live" : last
  return atHead
}

/**
 * Sends new events to every live subscriber; the others read them from the log.
 *
 * True if room is short, in which case the replays need a turn.
 */
export const publish = (
  connected: ReadonlyArray<Connected>,
  frames: ReadonlyArray<Numbered>
): boolean => {
  let owed = owedBy(connected)
  for (const one of connected) {
    if (one.position !== "live") continue
    const others = owed - counted(one)
    for (const { seq, frame } of frames) {
      if (others + counted(one) > unread.live) {
        if (one.isOpen) one.position = seq - 1
        break
      }
      // A closed one sends nothing.
      one.send(frame)
    }
    owed = others + counted(one)
  }
  return owed > unread.replay
}

/**
 * One turn of the replays: a page to each of the first in the queue. "wait" means that there is no
 * room.
 */
export const replayTurn = (
  log: EventLog,
  connected: ReadonlyArray<Connected>,
  now: number,
  report: Report
): "done" | "more" | "wait" => {
  const isFull = owedBy(connected) > unread.replay
  if (isFull) letGoOfMost(connected, now)
  const behind = connected.filter(({ isOpen, position }) => isOpen && position !== "live")
  if (behind.length === 0) return "done"
  if (isFull) return "wait"
  behind.sort((one, other) => one.since - other.since)
  for (const subscriber of behind.slice(0, replaysAtOnce)) catchUp(log, subscriber, report)
  return "more"
}
