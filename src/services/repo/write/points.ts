import * as Result from "effect/Result"
import type { Write } from "../Repo.ts"

/** How many points an account may spend in an hour and in a day. */
export const writeLimits = { hour: 5000, day: 35_000 } as const

const windows = { hour: 3600_000, day: 86_400_000 } as const

/** The points an account has spent in the current hour and day; times in milliseconds. */
export interface Spent {
  readonly hourFrom: number
  readonly hour: number
  readonly dayFrom: number
  readonly day: number
}

export const nothingSpent: Spent = { hourFrom: 0, hour: 0, dayFrom: 0, day: 0 }

/**
 * A commit costs at least a point for this many bytes of its blocks, because the event log keeps
 * them.
 */
export const bytesPerPoint = 8192

/** Points for each write. */
export const pointsFor = { create: 3, update: 2, put: 2, delete: 1 } as const

/** A commit's cost: the points of its writes or those of its blocks' bytes, whichever is more. */
export const pointsOf = (writes: ReadonlyArray<Write>, bytes: number): number => {
  let points = 0
  for (const { action } of writes) points += pointsFor[action]
  return Math.max(points, Math.floor(bytes / bytesPerPoint))
}

/** The exceeded limit, and when its window ends. */
export interface Exceeded {
  readonly limit: number
  readonly windowSeconds: number
  readonly remaining: number
  /** Milliseconds. */
  readonly resetAt: number
}

/** Spends points; expired windows restart. */
export const spend = (
  spent: Spent,
  points: number,
  now: number
): Result.Result<Spent, Exceeded> => {
  const hourOver = now - spent.hourFrom >= windows.hour
  const dayOver = now - spent.dayFrom >= windows.day
  const next: Spent = {
    hourFrom: hourOver ? now : spent.hourFrom,
    hour: (hourOver ? 0 : spent.hour) + points,
    dayFrom: dayOver ? now : spent.dayFrom,
    day: (dayOver ? 0 : spent.day) + points
  }
  if (next.hour > writeLimits.hour)
    return Result.fail(exceeded("hour", next.hourFrom, next.hour - points))
  if (next.day > writeLimits.day)
    return Result.fail(exceeded("day", next.dayFrom, next.day - points))
  return Result.succeed(next)
}

const exceeded = (window: "hour" | "day", from: number, used: number): Exceeded => ({
  limit: writeLimits[window],
  windowSeconds: windows[window] / 1000,
  remaining: Math.max(0, writeLimits[window] - used),
  resetAt: from + windows[window]
})
