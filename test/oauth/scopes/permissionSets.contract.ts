import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { HostDatabase } from "../../../src/layers/host/sql/HostDatabase.ts"
import { budget } from "../../../src/layers/oauth/PermissionSetsD1.ts"
import { PermissionSets } from "../../../src/services/oauth/PermissionSets.ts"
import { lexiconOf } from "./sets.ts"
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

const agreeTo = (name = nsid) =>
  Effect.flatMap(PermissionSets, (sets) => sets.get(name, { agreed: true }))

/** The names of the sets in the table. */
const kept = Effect.flatMap(HostDatabase, ({ sql }) =>
  Effect.map(sql<{ nsid: string }>`SELECT nsid FROM included_set`, (rows) =>
    rows.map((row) => row.nsid)
  )
)

const bytesKept = Effect.flatMap(HostDatabase, ({ sql }) =>
  Effect.map(
    sql<{ bytes: number }>`SELECT sum(length(CAST(document AS BLOB))) AS bytes FROM included_set`,
    ([row]) => row?.bytes ?? 0
  )
)

/** Answers every name with a set of that name. */
const ofAnyName = () => (request: Request) => {
  const name = new URL(request.url).searchParams.get("rkey") ?? ""
  const record = lexiconOf(name, { title: name, permissions: [] })
  return proof({ record, path: `com.atproto.lexicon.schema/${name}` })
}

/** What PermissionSets keeps and forgets; `fresh` creates an empty database. */
export const permissionSetsContract = (name: string, fresh: () => Layer.Layer<HostDatabase>) => {
  const world = () => worldOver(fresh())

  describe(`permission sets over ${name}`, () => {
    it.effect("a set is found with DNS, the DID document and a signed record", () => {
      const { layer } = world()
      return Effect.gen(function* () {
        const { type: _, ...meaning } = repoEntry
        assert.deepStrictEqual(yield* get(), { nsid, title: "first", permissions: [meaning] })
      }).pipe(Effect.provide(layer))
    })

    it.effect("a set is looked up again after a day", () => {
      const { asked, become, layer } = world()
      return Effect.gen(function* () {
        assert.strictEqual((yield* agreeTo()).title, "first")
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

    it.effect("an agreed set stays valid for 90 days while its authority is unreachable", () => {
      const { become, layer } = world()
      return Effect.gen(function* () {
        assert.strictEqual(yield* titleOf, "first")
        yield* agreeTo()
        become(getRecord, unreachable)
        yield* TestClock.adjust("89 days")
        assert.strictEqual(yield* titleOf, "first")
        yield* TestClock.adjust("1 day")
        assert.strictEqual(yield* reasonOf(), "its server does not answer")
        become(getRecord, () => proof({ record: document("back") }))
        assert.strictEqual(yield* titleOf, "back")
      }).pipe(Effect.provide(layer))
    })

    it.effect("a set without consent is valid for an hour", () => {
      const { asked, become, layer } = world()
      return Effect.gen(function* () {
        yield* titleOf
        become(getRecord, unreachable)
        yield* TestClock.adjust("59 minutes")
        assert.strictEqual(yield* titleOf, "first")
        assert.strictEqual(asked(), 1)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* reasonOf(), "its server does not answer")
      }).pipe(Effect.provide(layer))
    })

    it.effect("a set without consent for an hour is removed by the next one", () => {
      const { become, layer } = world()
      return Effect.gen(function* () {
        yield* titleOf
        yield* TestClock.adjust("1 hour")
        become(getRecord, ofAnyName())
        yield* get("com.example.lexicons.other")
        assert.deepStrictEqual(yield* kept, ["com.example.lexicons.other"])
      }).pipe(Effect.provide(layer))
    })

    it.effect("only the meaningful part of a set is stored, at most 16 KiB", () => {
      const { become, layer } = world()
      const named = (count: number) =>
        Array.from({ length: count }, (_, at) => `com.example.lexicons.${"x".repeat(40)}${at}`)
      const noise = [
        { type: "permission", resource: "blob", accept: ["*/*"] },
        { x: Array.from({ length: 30_000 }, () => false) },
        { ...repoEntry, unknown: true },
        "text"
      ]
      const record = (collection: ReadonlyArray<string>) =>
        lexiconOf(nsid, { permissions: [...noise, { ...repoEntry, collection }] })
      return Effect.gen(function* () {
        become(getRecord, () => proof({ record: record([...named(100), ...named(100)]) }))
        const set = yield* get()
        assert.deepStrictEqual(set.permissions, [{ resource: "repo", collection: named(100) }])
        assert.isBelow(yield* bytesKept, 10_000)
        become(getRecord, () => proof({ record: record(named(300)) }))
        yield* TestClock.adjust("1 day")
        const reason = "the permission set comes to more than 16384 bytes"
        assert.strictEqual(yield* reasonOf(), reason)
        assert.deepStrictEqual(yield* kept, [])
      }).pipe(Effect.provide(layer))
    })

    it.effect("a stranger's sets never displace agreed ones, however many there are", () => {
      const { become, layer } = world()
      const name = (at: number | "") => `com.example.lexicons.s${at}`
      return Effect.gen(function* () {
        yield* TestClock.adjust("1 minute")
        yield* titleOf
        yield* agreeTo()
        const { sql } = yield* HostDatabase
        const fill = (from: number, to: number, size: number) =>
          sql`WITH RECURSIVE stranger (at) AS
              (SELECT ${from} UNION ALL SELECT at + 1 FROM stranger WHERE at < ${to - 1})
            INSERT INTO included_set (nsid, agreed, fetched_at, tried_at, bytes, document)
            SELECT ${name("")} || at, 0, at, at, ${size}, ${"x".repeat(size)} FROM stranger`
        become(getRecord, ofAnyName())
        yield* fill(0, budget.rows + 20, 10)
        yield* get("com.example.lexicons.next")
        const rows = yield* kept
        assert.strictEqual(rows.length, budget.rows)
        assert.includeMembers([...rows], [nsid, "com.example.lexicons.next"])
        assert.notInclude(rows, name(0))
        yield* fill(5000, 5600, 16_384)
        yield* get("com.example.lexicons.after")
        assert.isAtMost(yield* bytesKept, budget.bytes)
        assert.includeMembers([...(yield* kept)], [nsid, "com.example.lexicons.after"])
      }).pipe(Effect.provide(layer))
    })

    it.effect("a set of the last version is migrated if it is small enough", () => {
      const { asked, layer } = world()
      const small = JSON.stringify({ nsid, title: "of before", permissions: [] })
      return Effect.gen(function* () {
        const { sql } = yield* HostDatabase
        yield* sql`CREATE TABLE permission_set (nsid TEXT PRIMARY KEY, document TEXT NOT NULL,
          fetched_at INTEGER NOT NULL, tried_at INTEGER NOT NULL) WITHOUT ROWID`
        const insert = (key: string, document: string) =>
          sql`INSERT INTO permission_set VALUES (${key}, ${document}, 0, 0)`
        yield* insert(nsid, small)
        yield* insert("com.example.lexicons.large", "x".repeat(20_000))
        assert.strictEqual(yield* titleOf, "of before")
        assert.strictEqual(asked(), 0)
        assert.deepStrictEqual(yield* kept, [nsid])
      }).pipe(Effect.provide(layer))
    })

    it.effect("an unreachable authority is asked once in a quarter of an hour", () => {
      const { asked, become, layer } = world()
      return Effect.gen(function* () {
        yield* titleOf
        yield* agreeTo()
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

    it.effect("a set is removed when its authority proves that it is gone", () => {
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

    it.effect("a set is kept when a server claims without proof that it is gone", () => {
      const { become, layer } = world()
      return Effect.gen(function* () {
        yield* titleOf
        yield* agreeTo()
        become(getRecord, () => Response.json({ error: "RecordNotFound" }, { status: 400 }))
        yield* TestClock.adjust("1 day")
        assert.strictEqual(yield* titleOf, "first")
      }).pipe(Effect.provide(layer))
    })

    it.effect("a lexicon of another kind, or another's, is not a set", () => {
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

    it.effect("a set is found even if nothing can be stored", () => {
      const { asked, layer } = world()
      return Effect.gen(function* () {
        const { sql } = yield* HostDatabase
        // A different table with this name makes every query fail.
        yield* sql`CREATE TABLE included_set (x)`
        assert.strictEqual(yield* titleOf, "first")
        assert.strictEqual(yield* titleOf, "first")
        assert.strictEqual(asked(), 2)
      }).pipe(Effect.provide(layer))
    })
  })
}
