import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { Preferences } from "../../src/services/accounts/Preferences.ts"
import { alice, type Inside, rowsWritten, type Run } from "../sessions/accountServices.ts"

/** What every Preferences guarantees. */
export const preferencesContract = (name: string, run: Run<Inside>) =>
  describe(`Preferences over ${name}`, () => {
    const check = <E>(
      title: string,
      body: (service: Preferences["Service"]) => Effect.Effect<void, E, Inside>
    ) =>
      it(title, () =>
        run(
          Effect.gen(function* () {
            yield* (yield* AccountStore).create(alice)
            yield* body(yield* Preferences)
          })
        )
      )
    const one = { $type: "app.bsky.actor.defs#adultContentPref", enabled: true }
    const two = { $type: "app.bsky.actor.defs#interestsPref", tags: ["é", "猫"] }

    check("a new account has no preferences", (preferences) =>
      Effect.sync(() => assert.deepStrictEqual(preferences.get(), []))
    )

    check("get returns what was put in order, even two of the same type", (preferences) =>
      Effect.gen(function* () {
        yield* preferences.put([two, one, two])
        assert.deepStrictEqual(preferences.get(), [two, one, two])
      })
    )

    check("put replaces all preferences in one row", (preferences) =>
      Effect.gen(function* () {
        yield* preferences.put([one, two])
        yield* preferences.put([two])
        assert.deepStrictEqual(preferences.get(), [two])
        yield* preferences.put([])
        assert.deepStrictEqual(preferences.get(), [])
        const put = Effect.flatMap(Preferences, (service) => service.put([one, two, one]))
        assert.strictEqual(yield* rowsWritten(put), 1)
      })
    )
  })
