import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** How many points a key may take in a window that begins with its first. */
export interface RateLimit {
  readonly limit: number
  readonly windowSeconds: number
}

/** How much of a limit is left. */
export interface RateLimitState extends RateLimit {
  readonly remaining: number
  /** When the window ends, in milliseconds. */
  readonly resetAt: number
}

/** A limit is used up. */
export class RateLimitExceeded extends Schema.TaggedError<RateLimitExceeded>()(
  "RateLimitExceeded",
  {
    limit: Schema.Finite,
    windowSeconds: Schema.Finite,
    remaining: Schema.Finite,
    /** When the window ends, in milliseconds. */
    resetAt: Schema.Finite,
    /** Seconds from now to then, where the limiter told them. */
    retryAfter: Schema.optional(Schema.Finite)
  }
) {}

/** The limiter could not be reached: what it protects stays shut. */
export class LimiterUnavailable extends Schema.TaggedError<LimiterUnavailable>()(
  "LimiterUnavailable",
  { cause: Schema.Defect() }
) {}

/** What is taken: points of a key, by a client's address, under all of the limits or none. */
export interface Taking {
  readonly address: string
  readonly key: string
  /** Fewer than zero gives points back; zero takes none, and is refused where none is left. */
  readonly points: number
  readonly limits: ReadonlyArray<RateLimit>
}

/** Exact limits for the sensitive methods: sign-in, sign-up, reset, OAuth. */
export class Limiter extends Context.Service<
  Limiter,
  {
    /** Takes points; answers the limit of which least is left. */
    take(taking: Taking): Effect.Effect<RateLimitState, RateLimitExceeded | LimiterUnavailable>
  }
>()("nacre/services/Limiter") {}

/** The general limits, which every request of an address counts towards. */
export type AddressLimit = "general" | "getRepo" | "uploadBlob"

/** General limits per address, kept in the isolate's memory: best effort, without any I/O. */
export class AddressLimits extends Context.Service<
  AddressLimits,
  {
    take(
      address: string,
      which: AddressLimit,
      points?: number
    ): Effect.Effect<RateLimitState, RateLimitExceeded>
    /** The same, but it refuses nobody. */
    count(address: string, which: AddressLimit, points?: number): Effect.Effect<RateLimitState>
  }
>()("nacre/services/AddressLimits") {}

/** One window of one key: when it began, and what has been taken since. */
export interface Window {
  readonly from: number
  readonly used: number
}

/** What a key has taken, one window a limit. */
export type Windows = ReadonlyArray<Window>

/** The outcome of a taking: the windows to keep, or nothing to keep because a limit refuses. */
export type Taken =
  | { readonly windows: Windows; readonly state: RateLimitState }
  | { readonly exceeded: RateLimitState }

/** Takes points from a key's windows; windows that have passed begin anew. */
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

/** The failure of a limit that refuses. */
export const exceededBy = (state: RateLimitState, now: number): RateLimitExceeded =>
  new RateLimitExceeded({
    ...state,
    retryAfter: Math.max(1, Math.ceil((state.resetAt - now) / 1000))
  })
