import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { schemaVersion, StoredByNewerVersion } from "../../src/core/host/schemaVersion.ts"
import { misconfigured } from "../../src/http/host/health.ts"
import * as ConfigEnv from "../../src/layers/host/ConfigEnv.ts"
import * as HostKeysSql from "../../src/layers/host/HostKeysD1.ts"
import { HostDatabase } from "../../src/layers/host/sql/HostDatabase.ts"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import { accountTables } from "../../src/layers/host/sql/accountTables.ts"
import { checkTables, makeTables } from "../../src/layers/host/sql/objectTables.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { makeObject } from "../../src/layers/objects/Limiter.ts"
import { EventLog } from "../../src/layers/stream/EventLog.ts"
import { HostKeys } from "../../src/services/host/HostKeys.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { env } from "./world.ts"

type Sql = SqlStorage["Service"]

const alarm = { get: async () => null, set: async () => {} }

/** Each object's function to open its database. */
const objects: Readonly<Record<string, (sql: Sql) => unknown>> = {
  "an account's object": (sql) => makeTables(sql, accountTables),
  "an account's object that wakes": (sql) => checkTables(sql, accountTables),
  "the Sequencer": (sql) => new EventLog(sql, () => 1),
  "a Limiter": (sql) => makeObject(sql, alarm)
}

const versionOf = (sql: Sql) =>
  sql.exec<{ version: number }>("SELECT version FROM schema_version").toArray()[0]?.version

const dump = (sql: Sql) =>
  JSON.stringify(sql.exec("SELECT name, sql FROM sqlite_master ORDER BY name").toArray())

describe("the schema version in an object", () => {
  for (const [name, open] of Object.entries(objects)) {
    it.effect(`${name} stores the version in new data, and in data without one`, () =>
      Effect.gen(function* () {
        const sql = yield* SqlStorage
        open(sql)
        assert.strictEqual(versionOf(sql), schemaVersion)
        sql.exec("DROP TABLE schema_version")
        open(sql)
        assert.strictEqual(versionOf(sql), schemaVersion)
        sql.exec("UPDATE schema_version SET version = 0")
        open(sql)
        assert.strictEqual(versionOf(sql), schemaVersion)
      }).pipe(Effect.provide(SqlStorageNode.layer(":memory:")))
    )

    it.effect(`${name} rejects newer data and changes nothing in it`, () =>
      Effect.gen(function* () {
        const sql = yield* SqlStorage
        open(sql)
        const before = dump(sql)
        sql.exec("UPDATE schema_version SET version = ?", schemaVersion + 1)
        assert.throws(() => open(sql), StoredByNewerVersion, /deploy the newer version again/)
        assert.strictEqual(versionOf(sql), schemaVersion + 1)
        assert.strictEqual(dump(sql), before)
      }).pipe(Effect.provide(SqlStorageNode.layer(":memory:")))
    )
  }
})

describe("an account's object that wakes after others", () => {
  it.effect("the object gets a table that only it lacks", () =>
    Effect.gen(function* () {
      const sql = yield* SqlStorage
      checkTables(sql, accountTables)
      const whole = dump(sql)
      sql.exec("DROP TABLE blob_quota")
      checkTables(sql, accountTables)
      assert.strictEqual(dump(sql), whole)
    }).pipe(Effect.provide(SqlStorageNode.layer(":memory:")))
  )
})

const problems = Effect.gen(function* () {
  return yield* (yield* HostKeys).problems
}).pipe(
  Effect.provide(
    HostKeysSql.layer.pipe(
      Layer.provide(Layer.orDie(ConfigEnv.layer({ ...env, LOG_LEVEL: "none" })))
    )
  )
)

/** The version in the database, and a function to change it. */
const note = Effect.gen(function* () {
  const { sql } = yield* HostDatabase
  const read = Effect.map(
    sql<{
      fingerprint: string
    }>`SELECT fingerprint FROM host_key WHERE variable = 'SCHEMA_VERSION'`,
    ([row]) => row?.fingerprint
  )
  const write = (version: number) =>
    sql`UPDATE host_key SET fingerprint = ${String(version)} WHERE variable = 'SCHEMA_VERSION'`
  return { read, write }
})

describe("the schema version in the host's database", () => {
  it.effect("the first server stores the version, and a newer one raises it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problems, [])
      const { read, write } = yield* note
      assert.strictEqual(yield* read, String(schemaVersion))
      yield* write(schemaVersion - 1)
      assert.deepStrictEqual(yield* problems, [])
      assert.strictEqual(yield* read, String(schemaVersion))
    }).pipe(Effect.provide(HostDatabaseNode.layer(":memory:")))
  )

  it.effect("an older server stops, and reports it at /ready and in every response", () =>
    Effect.gen(function* () {
      yield* problems
      const { read, write } = yield* note
      yield* write(schemaVersion + 1)
      const found = yield* problems
      assert.strictEqual(yield* read, String(schemaVersion + 1))
      const answers = ["/ready", "/xrpc/com.atproto.server.describeServer", "/account"].map(
        (path) => misconfigured(new URL(`https://pds.example.com${path}`), { problems: found })
      )
      for (const answer of answers) {
        assert.strictEqual(answer.status, 503)
        assert.include(
          yield* Effect.promise(() => answer.text()),
          "was written by a newer version of Nacre"
        )
      }
    }).pipe(Effect.provide(HostDatabaseNode.layer(":memory:")))
  )
})
