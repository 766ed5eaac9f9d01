import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { Sessions } from "../../src/services/sessions/Sessions.ts"
import { alice, call, serverLayer, type Services, signUp } from "../sessions/sessionServer.ts"

const defs = "app.bsky.actor.defs"
const details = { $type: `${defs}#personalDetailsPref`, birthDate: "2010-06-15T00:00:00.000Z" }
const adult = { $type: `${defs}#adultContentPref`, enabled: true }
const own = { $type: "app.bsky.example#ownPref", list: [1, { deep: null }] }
const age = (over13: boolean, over16: boolean, over18: boolean) => ({
  $type: `${defs}#declaredAgePref`,
  isOverAge13: over13,
  isOverAge16: over16,
  isOverAge18: over18
})

const check = <E>(title: string, body: Effect.Effect<void, E, Services>) =>
  it.effect(title, () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-06-14T12:00:00.000Z"))
      yield* signUp()
      yield* body
    }).pipe(Effect.provide(serverLayer))
  )

/** The two methods, as called by a session of one level. */
const session = Effect.fnUntraced(function* (
  level: "full" | "privileged" | "standard" | "takendown"
) {
  const { accessJwt: token } = yield* (yield* Sessions).open(alice.did, { level })
  return {
    get: Effect.map(
      call("app.bsky.actor.getPreferences", { token }),
      ({ body }) => body["preferences"]
    ),
    put: (preferences: ReadonlyArray<object>) =>
      call("app.bsky.actor.putPreferences", { token, body: { preferences } })
  }
})

describe("preferences", () => {
  check(
    "preferences are returned as they were put, with an age computed from the birth date",
    Effect.gen(function* () {
      const { get, put } = yield* session("full")
      assert.deepStrictEqual(yield* get, [])
      assert.strictEqual((yield* put([adult, details, own])).status, 200)
      assert.deepStrictEqual(yield* get, [adult, details, own, age(true, false, false)])
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(yield* (yield* session("full")).get, [
        adult,
        details,
        own,
        age(true, true, false)
      ])
    })
  )

  check(
    "preferences ignore a declared age from clients",
    Effect.gen(function* () {
      const { get, put } = yield* session("full")
      yield* put([age(true, true, true), adult])
      assert.deepStrictEqual(yield* get, [adult])
      yield* put([age(true, true, true), details])
      assert.deepStrictEqual(yield* get, [details, age(true, false, false)])
    })
  )

  check(
    "an app password sees the age but not the personal details",
    Effect.gen(function* () {
      yield* (yield* session("full")).put([details, adult])
      for (const level of ["standard", "privileged"] as const) {
        const { get } = yield* session(level)
        assert.deepStrictEqual(yield* get, [adult, age(true, false, false)])
      }
    })
  )

  check(
    "an app password puts preferences without changing the personal details",
    Effect.gen(function* () {
      const owner = yield* session("full")
      const app = yield* session("privileged")
      yield* owner.put([adult, details])
      assert.strictEqual((yield* app.put([own])).status, 200)
      assert.deepStrictEqual(yield* owner.get, [details, own, age(true, false, false)])
      const refused = yield* app.put([{ ...details, birthDate: "1980-01-01T00:00:00.000Z" }])
      assert.strictEqual(refused.status, 400)
      assert.strictEqual(refused.body["error"], "InvalidRequest")
      assert.deepStrictEqual(yield* owner.get, [details, own, age(true, false, false)])
    })
  )

  check(
    "preferences are rejected together if one has another namespace or no type",
    Effect.gen(function* () {
      const { get, put } = yield* session("full")
      yield* put([adult])
      const others = [{ $type: "com.example.pref" }, { $type: "app.bskyx.pref" }, { enabled: true }]
      for (const other of others) {
        const refused = yield* put([own, other])
        assert.strictEqual(refused.status, 400)
        assert.strictEqual(refused.body["error"], "InvalidRequest")
      }
      assert.deepStrictEqual(yield* get, [adult])
    })
  )

  check(
    "the owner of a taken-down account can read preferences but not change them",
    Effect.gen(function* () {
      yield* (yield* session("full")).put([details, adult])
      const { get, put } = yield* session("takendown")
      assert.deepStrictEqual(yield* get, [details, adult, age(true, false, false)])
      assert.strictEqual((yield* put([])).status, 400)
      assert.deepStrictEqual(yield* get, [details, adult, age(true, false, false)])
    })
  )
})
