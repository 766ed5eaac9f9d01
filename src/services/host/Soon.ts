import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

/** A result that is known at once, or the effect that waits for it; the receiver runs it. */
export type Soon<A, E, R = never> = Result.Result<A, E> | Effect.Effect<A, E, R>

/** As an effect. */
export const toEffect = <A, E, R>(soon: Soon<A, E, R>): Effect.Effect<A, E, R> =>
  Result.isResult(soon) ? Effect.fromResult(soon) : soon

/** What a plain function of the services returns, as an effect that uses its own. */
export const within = <A, E, R>(
  make: (services: Context.Context<R>) => Soon<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.contextWith((services: Context.Context<R>) => toEffect(make(services)))

/** Changes the success. */
export const map = <A, E, R, B>(soon: Soon<A, E, R>, change: (value: A) => B): Soon<B, E, R> =>
  Result.isResult(soon) ? Result.map(soon, change) : Effect.map(soon, change)

/** Continues with the success. */
export const flatMap = <A, E, R, B, E2, R2>(
  soon: Soon<A, E, R>,
  next: (value: A) => Soon<B, E2, R2>
): Soon<B, E | E2, R | R2> => {
  if (!Result.isResult(soon)) return Effect.flatMap(soon, (value) => toEffect(next(value)))
  return Result.isFailure(soon) ? Result.fail(soon.failure) : next(soon.success)
}

/** Changes the failure. */
export const mapError = <A, E, R, E2>(
  soon: Soon<A, E, R>,
  change: (failure: E) => E2
): Soon<A, E2, R> =>
  Result.isResult(soon) ? Result.mapError(soon, change) : Effect.mapError(soon, change)

/** Continues with a failure. */
export const orElse = <A, E, R, B, E2>(
  soon: Soon<A, E, R>,
  next: (failure: E) => Result.Result<B, E2>
): Soon<A | B, E2, R> => {
  if (!Result.isResult(soon)) {
    return Effect.catch(soon, (failure) => Effect.fromResult(next(failure)))
  }
  return Result.isFailure(soon) ? next(soon.failure) : Result.succeed(soon.success)
}
