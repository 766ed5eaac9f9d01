import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as AccountHistorySqlite from "../../src/layers/accounts/AccountHistorySqlite.ts"
import * as AccountCodesSqlite from "../../src/layers/mail/AccountCodesSqlite.ts"
import * as AccountStoreSqlite from "../../src/layers/accounts/AccountStoreSqlite.ts"
import * as AppPasswordsSqlite from "../../src/layers/sessions/AppPasswordsSqlite.ts"
import * as OwnTokensSqlite from "../../src/layers/sessions/OwnTokensSqlite.ts"
import * as PendingDeletionSqlite from "../../src/layers/accounts/PendingDeletionSqlite.ts"
import * as TakedownsSqlite from "../../src/layers/accounts/TakedownsSqlite.ts"
import * as PendingMigrationSqlite from "../../src/layers/accounts/PendingMigrationSqlite.ts"
import * as ConfigEnv from "../../src/layers/host/ConfigEnv.ts"
import * as OAuthSessionsSqlite from "../../src/layers/oauth/OAuthSessionsSqlite.ts"
import * as PasskeyLinksSqlite from "../../src/layers/factors/PasskeyLinksSqlite.ts"
import * as PasskeysSqlite from "../../src/layers/factors/PasskeysSqlite.ts"
import * as PreferencesSqlite from "../../src/layers/accounts/PreferencesSqlite.ts"
import * as SecondFactorsSqlite from "../../src/layers/factors/SecondFactorsSqlite.ts"
import * as SessionsSqlite from "../../src/layers/sessions/SessionsSqlite.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { type Account, AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { PendingMigration } from "../../src/services/accounts/PendingMigration.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"

/** The account under test. */
export const alice: Account = {
  did: "did:plc:aliceaaaaaaaaaaaaaaaaaaa",
  handle: "alice.test",
  email: "alice@example.com",
  emailConfirmedAt: "2026-01-01T00:00:00.000Z",
  emailFactorAt: undefined,
  password: undefined,
  signingKey: {
    curve: "k256",
    wrapped: new Uint8Array([1, 2, 3]),
    didKey: "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"
  },
  deactivatedAt: undefined,
  deleteAfter: undefined,
  takedown: undefined,
  createdAt: "2026-01-01T00:00:00.000Z"
}

/** The administrator's password in tests. */
export const adminPassword = "correct horse battery"

/** Settings of a local server. */
export const configLayer = Layer.orDie(
  ConfigEnv.layer({
    MASTER_KEY: "A".repeat(43),
    PLC_ROTATION_KEY: "11".repeat(32),
    ADMIN_PASSWORD: adminPassword
  })
)

/** Settings of another server, with another master key. */
export const otherConfigLayer = Layer.orDie(
  ConfigEnv.layer({
    MASTER_KEY: Buffer.alloc(32, 7).toString("base64url"),
    PLC_ROTATION_KEY: "11".repeat(32),
    ADMIN_PASSWORD: adminPassword
  })
)

/** The tables of everything that an account's object stores. */
export const accountTables = [
  ...AccountStoreSqlite.tables,
  ...AccountCodesSqlite.tables,
  ...SessionsSqlite.tables,
  ...OAuthSessionsSqlite.tables,
  ...AppPasswordsSqlite.tables,
  ...OwnTokensSqlite.tables,
  ...SecondFactorsSqlite.tables,
  ...PendingMigrationSqlite.tables,
  ...PasskeysSqlite.tables,
  ...PasskeyLinksSqlite.tables,
  ...PreferencesSqlite.tables,
  ...AccountHistorySqlite.tables,
  ...PendingDeletionSqlite.tables,
  ...TakedownsSqlite.tables
]

/** The store over the current database. */
export const storeLayer = Layer.unwrap(
  Effect.map(SqlStorage, (sql) =>
    AccountStoreSqlite.layer({
      did: alice.did,
      tables: accountTables,
      wipe: Effect.sync(() => AccountStoreSqlite.dropTables(sql))
    })
  )
)

/** An empty Node database. */
export const sqlLayer = SqlStorageNode.layer(":memory:")

const storesLayer = Layer.mergeAll(
  storeLayer,
  AccountCodesSqlite.layer,
  AppPasswordsSqlite.layer,
  OwnTokensSqlite.layer,
  PendingMigrationSqlite.layer,
  OAuthSessionsSqlite.layer,
  SecondFactorsSqlite.layer,
  PasskeysSqlite.layer,
  PasskeyLinksSqlite.layer,
  PreferencesSqlite.layer,
  PendingDeletionSqlite.layer,
  TakedownsSqlite.layer
).pipe(Layer.provideMerge(SessionsSqlite.layer), Layer.provideMerge(AccountHistorySqlite.layer))

const insideLayer = storesLayer.pipe(Layer.provideMerge(configLayer))

/** The services that store data in an account's object. */
export type Inside = Layer.Success<typeof insideLayer> | SqlStorage

/** Runs a test's body over an empty object. */
export type Run<R> = <E>(body: Effect.Effect<void, E, R>) => Promise<void>

/** Runs a body over this database, with a clock that the test moves. */
export const runOver = <E>(
  body: Effect.Effect<void, E, Inside>,
  sql: Layer.Layer<SqlStorage>
): Promise<void> =>
  Effect.runPromise(
    Effect.provide(
      body,
      insideLayer.pipe(Layer.provideMerge(Layer.mergeAll(sql, TestClock.layer())))
    )
  )

/** Runs a body over an empty Node database. */
export const runOnNode: Run<Inside> = (body) => runOver(body, sqlLayer)

/**
 * A context whose services are recreated before each call, like those of an object that sleeps in
 * between.
 */
export const forgetful = <R>(first: Context.Context<R>, make: () => Context.Context<R>) => {
  const services = new Map<string, unknown>()
  for (const [key, service] of first.mapUnsafe) {
    // SAFETY: a new context has the same services under the same keys.
    const fresh = () => make().mapUnsafe.get(key) as Record<PropertyKey, unknown>
    const get = (shape: Record<PropertyKey, unknown>, name: PropertyKey) => {
      const value = shape[name]
      if (Effect.isEffect(value)) return Effect.suspend(() => fresh()[name] as typeof value)
      if (typeof value !== "function") return fresh()[name]
      return (...input: ReadonlyArray<unknown>) => {
        const service = fresh()
        return (service[name] as (...input: ReadonlyArray<unknown>) => unknown).apply(
          service,
          input as Array<unknown>
        )
      }
    }
    services.set(key, isMade(service) ? new Proxy(service, { get }) : service)
  }
  return Context.makeUnsafe<R>(services)
}

/** Whether a service is an object of functions rather than settings. */
const isMade = (service: unknown): service is Record<PropertyKey, unknown> =>
  typeof service === "object" &&
  service !== null &&
  Object.values(service).some((value) => typeof value === "function" || Effect.isEffect(value))

/** Runs a body over an empty Node database, with services recreated for each call. */
export const runForgetful: Run<Inside> = (body) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const sql = yield* SqlStorage
      // All objects share one environment.
      const environment = yield* Layer.build(configLayer)
      const layer = Layer.fresh(storesLayer).pipe(
        Layer.provideMerge(Layer.succeedContext(Context.add(environment, SqlStorage, sql)))
      )
      const build = Effect.scoped(Layer.build(layer))
      const made = forgetful(yield* build, () => Effect.runSync(build))
      yield* Effect.provide(body, Context.add(made, SqlStorage, sql))
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(sqlLayer, TestClock.layer())))
  )

/** The account's store after the object slept: with nothing in memory. */
export const wake = Effect.provide(AccountStore, Layer.fresh(storeLayer))

/** The same for a pending migration. */
export const arrivalAfterSleep = Effect.provide(
  PendingMigration,
  Layer.fresh(PendingMigrationSqlite.layer)
)

/** The rows that an effect writes, as reported by the database; recreates the layers in it. */
export const rowsWritten = Effect.fnUntraced(function* <E>(
  body: Effect.Effect<unknown, E, Inside>
) {
  const sql = yield* SqlStorage
  let written = 0
  const counting = SqlStorage.of({
    ...sql,
    exec: (query, ...bindings) => {
      const cursor = sql.exec(query, ...bindings)
      // Node reports the rows of the last change for statements without changes, such as CREATE
      // TABLE.
      if (/^\s*(insert|update|delete)/i.test(query)) written += cursor.rowsWritten
      return cursor as never
    }
  })
  const layer = insideLayer.pipe(Layer.provideMerge(Layer.succeed(SqlStorage, counting)))
  yield* Effect.provide(body, Layer.fresh(layer))
  return written
})
