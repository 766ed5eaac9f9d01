import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as AccountLock from "../../src/services/accounts/AccountLock.ts"

describe("the account lock", () => {
  it.effect("a change completes once it has started, even if its caller is gone", () =>
    Effect.gen(function* () {
      const lock = yield* AccountLock.AccountLock
      const [begun, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const done: Array<string> = []
      const changing = yield* lock
        .alone(
          Effect.gen(function* () {
            yield* Deferred.succeed(begun, undefined)
            yield* Deferred.await(goOn)
            done.push("first")
          })
        )
        .pipe(Effect.forkChild)
      yield* Deferred.await(begun)
      const waiting = yield* Effect.forkChild(lock.alone(Effect.sync(() => done.push("second"))))
      changing.interruptUnsafe()
      // A caller that still waits doesn't get its turn.
      yield* Fiber.interrupt(waiting)
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.await(changing)
      yield* lock.alone(Effect.sync(() => done.push("third")))
      assert.deepStrictEqual(done, ["first", "third"])
    }).pipe(Effect.provide(AccountLock.layer))
  )
})
