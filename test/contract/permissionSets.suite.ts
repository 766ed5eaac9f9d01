import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { HostDatabase } from "../../src/layers/HostDatabase.ts"
import { lexiconOf } from "../node/oauth/sets.ts"
import {
  document,
  get,
  getRecord,
  nsid,
  proof,
  reasonOf,
  repoEntry,
  titleOf,
  unreachable,
  world as worldOver
} from "./permissionSets.fixture.ts"

/** What PermissionSets must keep and forget; `fresh` makes an empty database. */
export const permissionSetsContract = (name: string, fresh: () => Layer.Layer<HostDatabase>) => {
  const world = () => worldOver(fresh())

  describe(`a permission set over ${name}`, () => {
    it.effect("is found by DNS, DID document and a signed record", () => {
      const { layer } = world()
      return Effect.gen(function* () {
        assert.deepStrictEqual(yield* get(), { nsid, title: "first", permissions: [repoEntry] })
      }).pipe(Effect.provide(layer))
    })

    it.effect("is asked for again after a day, not before", () => {
      const { asked, become, layer } = world()
      return Effect.gen(function* () {
        assert.strictEqual(yield* titleOf, "first")
        become(getRecord, () => proof({ record: document("second") }))
        yield* TestClock.adjust("23 hours")
        assert.strictEqual(yield* titleOf, "first")
        assert.strictEqual(asked(), 1)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(yield* titleOf, "second")
        assert.strictEqual(yield* titleOf, "second")
        assert.strictEqual(asked(), 2)
      }).pipe(Effect.provide(layer))
    })

    it.effect("is good for 90 days while its authority cannot be reached", () => {
      const { become, layer } = world()
      return Effect.gen(function* () {
        assert.strictEqual(yield* titleOf, "first")
        become(getRecord, unreachable)
        yield* TestClock.adjust("89 days")
        assert.strictEqual(yield* titleOf, "first")
        yield* TestClock.adjust("1 day")
        assert.strictEqual(yield* reasonOf(), "its server does not answer")
        become(getRecord, () => proof({ record: document("back") }))
        assert.strictEqual(yield* titleOf, "back")
      }).pipe(Effect.provide(layer))
    })

    it.effect("is not asked for twice in a quarter of an hour while nobody answers", () => {
      const { asked, become, layer } = world()
      return Effect.gen(function* () {
        yield* titleOf
        become(getRecord, unreachable)
        yield* TestClock.adjust("2 days")
        yield* Effect.all([titleOf, titleOf, titleOf], { concurrency: "unbounded" })
        assert.strictEqual(asked(), 2)
        yield* TestClock.adjust("14 minutes")
        assert.strictEqual(yield* titleOf, "first")
        assert.strictEqual(asked(), 2)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* titleOf, "first")
        assert.strictEqual(asked(), 3)
      }).pipe(Effect.provide(layer))
    })

    it.effect("is gone when its authority proves that it is", () => {
      const { become, layer } = world()
      return Effect.gen(function* () {
        yield* titleOf
        become(getRecord, () => proof({}))
        yield* TestClock.adjust("1 day")
        assert.strictEqual(yield* reasonOf(), "there is no such lexicon")
        become(getRecord, unreachable)
        assert.strictEqual(yield* reasonOf(), "its server does not answer")
      }).pipe(Effect.provide(layer))
    })

    it.effect("is not gone because a server says so without a proof", () => {
      const { become, layer } = world()
      return Effect.gen(function* () {
        yield* titleOf
        become(getRecord, () => Response.json({ error: "RecordNotFound" }, { status: 400 }))
        yield* TestClock.adjust("1 day")
        assert.strictEqual(yield* titleOf, "first")
      }).pipe(Effect.provide(layer))
    })

    it.effect("is none when the lexicon is of another kind or another's", () => {
      const { become, layer } = world()
      const others = [
        lexiconOf("com.example.lexicons.authOther", { permissions: [] }),
        { lexicon: 1, id: nsid, defs: { main: { type: "object" } } },
        { lexicon: 1, id: nsid, defs: {} },
        { lexicon: 2, id: nsid, defs: { main: { type: "permission-set", permissions: [] } } },
        { lexicon: 1, id: nsid, defs: { main: { type: "permission-set" } } },
        { id: nsid }
      ]
      return Effect.gen(function* () {
        for (const record of others) {
          become(getRecord, () => proof({ record }))
          assert.strictEqual(yield* reasonOf(), "the lexicon is not a permission set")
        }
      }).pipe(Effect.provide(layer))
    })

    it.effect("is still found when nothing can be stored", () => {
      const { asked, layer } = world()
      return Effect.gen(function* () {
        const { sql } = yield* HostDatabase
        // A table of this name that is another: every query of it fails.
        yield* sql`CREATE TABLE permission_set (x)`
        assert.strictEqual(yield* titleOf, "first")
        assert.strictEqual(yield* titleOf, "first")
        assert.strictEqual(asked(), 2)
      }).pipe(Effect.provide(layer))
    })
  })
}
