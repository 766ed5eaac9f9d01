import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"

/**
 * Changes of what stands both in the account's object and outside of it (directory, PLC directory): one at a time, and
 * each to its end, though whoever asked for it has gone.
 */
export class AccountLock extends Context.Service<
  AccountLock,
  {
    alone<A, E, R>(change: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
  }
>()("nacre/services/AccountLock") {}

/** The lock of the account in this object. */
export const layer: Layer.Layer<AccountLock> = Layer.effect(
  AccountLock,
  Effect.map(Semaphore.make(1), (lock) =>
    AccountLock.of({ alone: (change) => lock.withPermits(1)(Effect.uninterruptible(change)) })
  )
)
