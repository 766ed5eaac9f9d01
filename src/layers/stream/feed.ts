import { errorFrame, infoFrame } from "../../core/repo/frame.ts"
import type { EventLog } from "./EventLog.ts"
import type { Numbered } from "./frames.ts"
import { type Connected, counted, letGoOfMost, owedBy, unread } from "./room.ts"

/** Bounds of what one turn of a replay reads and sends. */
const page = { frames: 1000, bytes: 1_000_000 }

/** Replays that run at the same time; the others wait in line, so that each gets far before it is closed. */
const replaysAtOnce = 4

/** WebSocket close codes: of a broken rule, as the reference closes after an error frame; of a fault here; of a
 * connection that the server ends although its reader has done nothing wrong. */
const closeCode = { policy: 1008, internal: 1011, comeBack: 1012 }

/** One connection of subscribeRepos. */
export interface Subscriber {
  /** The number it was sent last, while it catches up; "live" once it gets events as they come. */
  position: number | "live"
  send(frame: Uint8Array): void
  close(code: number, reason: string): void
}

/** Sends an error frame and closes. */
export const refuse = (
  subscriber: Subscriber,
  error: string,
  message: string,
  code = closeCode.policy
): void => {
  subscriber.send(errorFrame(error, message))
  subscriber.close(code, error)
}

/** Closes without an error: the reader loses nothing when it connects again with its cursor. */
export const askBack = (subscriber: Subscriber): void =>
  subscriber.close(closeCode.comeBack, "reconnect with your cursor")

/** Ends the stream of a consumer that does not keep up. */
export const refuseTooSlow = (subscriber: Subscriber): void =>
  refuse(subscriber, "ConsumerTooSlow", "Stream consumer too slow")

/**
 * Starts a stream by the rules of the cursor: without one it is live; one ahead of the log is refused;
 * one behind what is kept is told so. Returns false when the stream was refused.
 */
export const begin = (
  log: EventLog,
  subscriber: Subscriber,
  cursor: number | undefined
): boolean => {
  // On storage that never held an event (a host restored from nothing) no cursor is ahead:
  // numbers are times, and those to come are greater.
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

/** Says that events after the position were pruned, and goes on after them. */
const skipPruned = (log: EventLog, subscriber: Subscriber, position: number): number => {
  if (position >= log.prunedTo) return position
  const message = "Requested cursor exceeded limit. Possibly missing events"
  subscriber.send(infoFrame("OutdatedCursor", message))
  return log.prunedTo
}

/** Takes a fault of the log to whoever operates the host. */
export type Report = (message: string, ...cause: ReadonlyArray<unknown>) => void

/**
 * Sends the next page of what a subscriber has missed; true when it is live, or when the log cannot be read
 * and the stream has ended with an error.
 *
 * Reading the last page and turning live happen in one turn: no event comes between, none twice.
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
 * Sends new events to every subscriber that is live; those that catch up read them from the log.
 *
 * True when there is too little room: then a turn of the replays has something to do.
 */
export const publish = (
  connected: ReadonlyArray<Connected>,
  frames: ReadonlyArray<Numbered>
): boolean => {
  let owed = owedBy(connected)
  for (const one of connected) {
    if (!one.isOpen || one.position !== "live") continue
    const others = owed - counted(one)
    for (const { seq, frame } of frames) {
      if (others + counted(one) > unread.live) {
        one.position = seq - 1
        break
      }
      one.send(frame)
    }
    owed = others + counted(one)
  }
  return owed > unread.replay
}

/** A turn of the replays: a page to each that is first in line. "wait" means that there is no room. */
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
