import { errorFrame, infoFrame } from "../../repo/frame.ts"
import type { EventLog } from "./EventLog.ts"
import type { Numbered } from "./frames.ts"

/** Bounds of what one turn of a replay reads and sends. */
const page = { frames: 1000, bytes: 1_000_000 }

/** The WebSocket close code of a broken rule, as the reference closes after an error frame. */
const policyViolation = 1008

/** One connection of subscribeRepos. */
export interface Subscriber {
  /** The number it was sent last, while it catches up; "live" once it gets events as they come. */
  position: number | "live"
  send(frame: Uint8Array): void
  close(code: number, reason: string): void
}

/** Sends an error frame and closes: the only way in which a stream ends from here. */
export const refuse = (subscriber: Subscriber, error: string, message: string): void => {
  subscriber.send(errorFrame(error, message))
  subscriber.close(policyViolation, error)
}

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

/**
 * Sends the next page of what a subscriber has missed; true when it has reached the head and is live.
 *
 * Reading the last page and turning live happen in one turn: no event comes between, none twice.
 */
export const catchUp = (log: EventLog, subscriber: Subscriber): boolean => {
  if (subscriber.position === "live") return true
  const position = skipPruned(log, subscriber, subscriber.position)
  const frames = log.after(position, page)
  for (const { frame } of frames) subscriber.send(frame)
  const last = frames.at(-1)?.seq ?? position
  const atHead = frames.length === 0 || last >= log.newest
  subscriber.position = atHead ? "live" : last
  return atHead
}

/** Sends new events to every subscriber that is live; those that catch up read them from the log. */
export const publish = (
  subscribers: Iterable<Subscriber>,
  frames: ReadonlyArray<Numbered>
): void => {
  for (const subscriber of subscribers) {
    if (subscriber.position !== "live") continue
    for (const { frame } of frames) subscriber.send(frame)
  }
}
