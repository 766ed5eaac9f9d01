import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** How many points a key may take in a window that starts with the first. */
export interface RateLimit {
  readonly limit: number
  readonly windowSeconds: number
}

/** The remaining part of a limit. */
export interface RateLimitState extends RateLimit {
  readonly remaining: number
  /** When the window ends, in milliseconds. */
  readonly resetAt: number
}

/** A limit is exceeded. */
export class RateLimitExceeded extends Schema.TaggedError<RateLimitExceeded>()(
  "RateLimitExceeded",
  {
    limit: Schema.Finite,
    windowSeconds: Schema.Finite,
    remaining: Schema.Finite,
    /** When the window ends, in milliseconds. */
    resetAt: Schema.Finite,
    /** Seconds until then, if the limiter reported them. */
    retryAfter: Schema.optional(Schema.Finite)
  }
) {}

/** The limiter could not be reached, so the protected method fails. */
export class LimiterUnavailable extends Schema.TaggedError<LimiterUnavailable>()(
  "LimiterUnavailable",
  { cause: Schema.Defect() }
) {}

/** Points to take for a key and a client's address, under all limits or none. */
export interface Taking {
  readonly address: string
  readonly key: string
  /** Negative points are given back; zero takes none, but fails if none are left. */
  readonly points: number
  readonly limits: ReadonlyArray<RateLimit>
}

/** Exact limits for the sensitive methods: sign-in, sign-up, reset, OAuth. */
export class Limiter extends Context.Service<
  Limiter,
  {
    /** Takes points; returns the limit with the fewest left. */
    take(taking: Taking): Effect.Effect<RateLimitState, RateLimitExceeded | LimiterUnavailable>
  }
>()("nacre/services/Limiter") {}

/** The general limits that each request of an address counts towards. */
export type AddressLimit = "general" | "getRepo" | "uploadBlob"

/** General limits for each address in the isolate's memory: best effort, without I/O. */
export class AddressLimits extends Context.Service<
  AddressLimits,
  {
    /** Takes points (1 by default) at a time in milliseconds, if the limit allows. */
    take(address: string, which: AddressLimit, now: number, points?: number): Taken
  }
>()("nacre/services/AddressLimits") {}

/** One window of a key: its start, and the points taken since. */
export interface Window {
  readonly from: number
  readonly used: number
}

/** The windows of a key, one for each limit. */
export type Windows = ReadonlyArray<Window>

/** The result of taking points: the windows to store, or the limit that was exceeded. */
export type Taken =
  | { readonly windows: Windows; readonly state: RateLimitState }
  | { readonly exceeded: RateLimitState }

/** Takes points from a key's windows; expired windows restart. */
export const takeFrom = (
  before: Windows | undefined,
  points: number,
  limits: ReadonlyArray<RateLimit>,
  now: number
): Taken => {
  const windows: Array<Window> = []
  const needed = points === 0 ? 1 : points
  let least: RateLimitState | undefined
  for (const [index, { limit, windowSeconds }] of limits.entries()) {
    const last = before?.[index]
    const open = last !== undefined && now < last.from + windowSeconds * 1000 && now >= last.from
    const from = open ? last.from : now
    const already = open ? last.used : 0
    const state = { limit, windowSeconds, resetAt: from + windowSeconds * 1000 }
    if (already + needed > limit) {
      return { exceeded: { ...state, remaining: Math.max(0, limit - already) } }
    }
    windows.push({ from, used: Math.max(0, already + points) })
    const remaining = limit - already - points
    if (least === undefined || remaining < least.remaining) least = { ...state, remaining }
  }
  return { windows, state: least ?? { limit: 0, windowSeconds: 0, remaining: 0, resetAt: now } }
}

/** The error for an exceeded limit. */
export const exceededBy = (state: RateLimitState, now: number): RateLimitExceeded =>
  new RateLimitExceeded({
    ...state,
    retryAfter: Math.max(1, Math.ceil((state.resetAt - now) / 1000))
  })
