import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { CallFailed, inWords, Unreachable } from "./failure.ts"
import { note } from "./output.ts"

/** How long to wait for servers that are unreachable or limit requests. */
export interface PatienceShape {
  /** How often a call is sent in total while the server is unreachable. */
  readonly tries: number
  /** How often at most if the server answers that it fails at it, which may never end. */
  readonly failedTries?: number
  /** The first pause, in milliseconds; each further one is twice as long. */
  readonly firstPause: number
  /** The longest pause that a server may ask for, in milliseconds, and how often. */
  readonly longestWait: number
  readonly waits: number
}

/** Default: for a person at the terminal. */
const Patience = Context.Reference<PatienceShape>("nacre/cli/Patience", {
  defaultValue: () => ({ tries: 3, firstPause: 100, longestWait: 60_000, waits: 5 })
})

/** Waits this many milliseconds before a call is repeated. */
export const Pause = Context.Reference<(milliseconds: number) => Effect.Effect<void>>(
  "nacre/cli/Pause",
  { defaultValue: () => Effect.sleep }
)

/** For long operations: a server may restart meanwhile, or limit the command's requests. */
const longPatience: PatienceShape = {
  tries: 12,
  firstPause: 500,
  longestWait: 20 * 60_000,
  waits: 1000
}

/**
 * Runs a long operation that a repeated command resumes, with long patience and a hint for a person
 * who stops it.
 */
export const longWay = <A, E, R>(way: Effect.Effect<A, E, R>) =>
  way.pipe(
    Effect.scoped,
    Effect.provideService(Patience, longPatience),
    Effect.onInterrupt(() => note("Stopped. Run the same command again to continue."))
  )

/** Runs calls that a damaged account may fail each time; the caller continues with the others. */
export const despiteDamage = <A, E, R>(doing: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Patience, (patience) =>
    Effect.provideService(doing, Patience, { ...patience, failedTries: 4 })
  )

/** Runs calls without retries, since their caller repeats them. */
export const once = <A, E, R>(doing: Effect.Effect<A, E, R>) =>
  Effect.provideService(doing, Patience, { tries: 1, firstPause: 0, longestWait: 0, waits: 0 })

/** Runs a call with few tries while its server is unreachable, because its caller can go on without. */
export const briefly = <A, E, R>(doing: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Patience, (patience) =>
    Effect.provideService(doing, Patience, { ...patience, tries: Math.min(patience.tries, 3) })
  )

/** The longest pause between two tries, in milliseconds. */
const longestPause = 30_000

/** Whether a server rejected a call because of a rate limit. */
export const isTooOften = (error: unknown): boolean =>
  error instanceof CallFailed && error.status === 429

/** Whether a server may be unreachable only briefly. */
const isAway = (error: unknown): boolean =>
  error instanceof Unreachable ||
  (error instanceof CallFailed && error.status >= 500 && error.status !== 501)

/** Whether a server answers that it fails at a call: repeating it may never help. */
export const isFailed = (error: unknown): error is CallFailed =>
  error instanceof CallFailed && (error.status === 500 || error.status === 503)

/**
 * How long a server asks to wait, in milliseconds: by `Retry-After`, or by `RateLimit-Reset` for a
 * rate limit.
 */
export const retryAfterOf = (
  {
    status,
    headers
  }: { readonly status: number; readonly headers: Readonly<Record<string, string | undefined>> },
  now: number
): { readonly retryAfter?: number } => {
  if (status !== 429 && status !== 503) return {}
  const after = headers["retry-after"]
  if (after !== undefined) {
    const seconds = /^\d{1,9}$/.test(after) ? Number(after) : (Date.parse(after) - now) / 1000
    if (!Number.isNaN(seconds)) return { retryAfter: Math.max(0, seconds * 1000) }
  }
  const reset = Number(headers["ratelimit-reset"] ?? Number.NaN)
  if (status !== 429 || !Number.isFinite(reset)) return {}
  // A time in seconds since 1970, plus half a second for clock skew.
  return { retryAfter: Math.max(0, reset * 1000 - now) + 500 }
}

/** The pause after the nth failure, in milliseconds; undefined to give up. */
const pauseAfter = (
  error: unknown,
  nth: number,
  { tries, failedTries = tries, firstPause, longestWait, waits }: PatienceShape
): number | undefined => {
  const pause = Math.min(longestPause, firstPause * 2 ** (nth - 1))
  const wish = error instanceof CallFailed ? error.retryAfter : undefined
  if (isTooOften(error)) {
    const wait = Math.max(pause, wish ?? 1000)
    return nth <= waits && wait <= longestWait ? wait : undefined
  }
  const most = isFailed(error) ? failedTries : tries
  if (!isAway(error) || nth >= most) return undefined
  return wish === undefined ? pause : Math.min(longestWait, Math.max(pause, wish))
}

/** Retries an effect with growing pauses while a server can't answer it. */
export const patiently = <A, E, R>(
  doing: Effect.Effect<A, E, R>,
  mayRepeat: (error: E) => boolean = () => true
): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const patience = yield* Patience
    const wait = yield* Pause
    const attempt = (nth: number): Effect.Effect<A, E, R> =>
      Effect.catch(doing, (error) => {
        const pause = mayRepeat(error) ? pauseAfter(error, nth, patience) : undefined
        if (pause === undefined) return Effect.fail(error)
        return note(sayPause(error, pause)).pipe(
          Effect.andThen(wait(pause)),
          Effect.andThen(attempt(nth + 1))
        )
      })
    return yield* attempt(1)
  })

const sayPause = (error: unknown, pause: number): string => {
  const soon = inWords(Math.max(pause, 1000))
  if (error instanceof CallFailed) {
    const { message, server, status } = error
    return status === 429
      ? `${server} is limiting requests. Retrying in ${soon}`
      : `${server} answered ${status}${message === "" ? "" : `: ${message}`}. Retrying in ${soon}`
  }
  return error instanceof Unreachable
    ? `Couldn't reach ${error.server} (${error.why}). Retrying in ${soon}`
    : `Retrying in ${soon}`
}
