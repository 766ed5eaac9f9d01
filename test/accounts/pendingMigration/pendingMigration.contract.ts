import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { PendingMigration } from "../../../src/services/accounts/PendingMigration.ts"
import {
  alice,
  arrivalAfterSleep,
  type Inside,
  rowsWritten,
  type Run
} from "../../sessions/accountServices.ts"

/** What every PendingMigration guarantees. */
export const arrivalContract = (name: string, run: Run<Inside>) =>
  describe(`PendingMigration over ${name}`, () => {
    const check = <E>(
      title: string,
      body: (service: PendingMigration["Service"]) => Effect.Effect<void, E, Inside>
    ) =>
      it(title, () =>
        run(
          Effect.gen(function* () {
            yield* (yield* AccountStore).create(alice)
            yield* body(yield* PendingMigration)
          })
        )
      )

    check("until returns the last deadline, also after the object's sleep", (arrival) =>
      Effect.gen(function* () {
        assert.isUndefined(arrival.until())
        yield* arrival.set(1_800_000_000_000)
        yield* arrival.set(1_900_000_000_000)
        assert.strictEqual(arrival.until(), 1_900_000_000_000)
        assert.strictEqual((yield* arrivalAfterSleep).until(), 1_900_000_000_000)
      })
    )

    check("an account that stays has no deadline", (arrival) =>
      Effect.gen(function* () {
        yield* arrival.set(1_800_000_000_000)
        yield* arrival.set(undefined)
        assert.isUndefined(arrival.until())
        assert.isUndefined((yield* arrivalAfterSleep).until())
      })
    )

    check("a deadline writes one row, and clearing a missing one writes none", () =>
      Effect.gen(function* () {
        const set = (until: number | undefined) =>
          Effect.flatMap(PendingMigration, (arrival) => arrival.set(until))
        assert.strictEqual(yield* rowsWritten(set(1_800_000_000_000)), 1)
        assert.strictEqual(yield* rowsWritten(set(undefined)), 1)
        assert.strictEqual(yield* rowsWritten(set(undefined)), 0)
      })
    )
  })
