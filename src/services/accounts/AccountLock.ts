import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"

/**
 * Runs changes that affect both the object and the outside (directory, PLC directory) one at a
 * time, each to its end, even if the client disconnects.
 */
export class AccountLock extends Context.Service<
  AccountLock,
  {
    alone<A, E, R>(change: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
  }
>()("nacre/services/AccountLock") {}

/** The lock of this object's account. */
export const layer: Layer.Layer<AccountLock> = Layer.effect(
  AccountLock,
  Effect.map(Semaphore.make(1), (lock) =>
    AccountLock.of({ alone: (change) => lock.withPermits(1)(Effect.uninterruptible(change)) })
  )
)
