import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { failureMillis } from "../../src/services/sessions/PasswordProof.ts"

const real = Context.get(Effect.runSync(Effect.context<never>()), Clock.Clock)

/**
 * The real clock, except that failed sign-ins don't wait for their minimum time: `signIn.test.ts`
 * proves that time, and other tests fail thousands of sign-ins. `now` may be another time, in
 * milliseconds.
 */
export const quickFailures = (now: () => number = Date.now): Clock.Clock => ({
  currentTimeMillisUnsafe: now,
  currentTimeMillis: Effect.sync(now),
  currentTimeNanosUnsafe: () => BigInt(now()) * 1_000_000n,
  currentTimeNanos: Effect.sync(() => BigInt(now()) * 1_000_000n),
  monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: real.monotonicTimeNanos,
  sleep: (duration) =>
    real.sleep(Duration.toMillis(duration) === failureMillis ? Duration.zero : duration)
})
