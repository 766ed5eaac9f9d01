import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AccountStoreSqlite from "../../../src/layers/AccountStoreSqlite.ts"
import * as AppPasswordsSqlite from "../../../src/layers/AppPasswordsSqlite.ts"
import * as ConfigEnv from "../../../src/layers/ConfigEnv.ts"
import * as PreferencesSqlite from "../../../src/layers/PreferencesSqlite.ts"
import * as SessionsSqlite from "../../../src/layers/SessionsSqlite.ts"
import * as SqlStorageNode from "../../../src/layers/SqlStorageNode.ts"
import type { Account } from "../../../src/services/AccountStore.ts"
import { SqlStorage } from "../../../src/services/SqlStorage.ts"

/** The account that tests are about. */
export const alice: Account = {
  did: "did:plc:aliceaaaaaaaaaaaaaaaaaaa",
  handle: "alice.test",
  email: "alice@example.com",
  emailConfirmed: true,
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
export const adminPassword = "correct horse"

/** Settings of a local server. */
export const configLayer = Layer.orDie(
  ConfigEnv.layer({
    MASTER_KEY: "A".repeat(43),
    PLC_ROTATION_KEY: "11".repeat(32),
    ADMIN_PASSWORD: adminPassword
  })
)

/** The tables of everything that an account's inside stores. */
export const accountTables = [
  ...AccountStoreSqlite.tables,
  ...SessionsSqlite.tables,
  ...AppPasswordsSqlite.tables,
  ...PreferencesSqlite.tables
]

/** The store over whatever database is there. */
export const storeLayer = Layer.unwrap(
  Effect.map(SqlStorage, (sql) =>
    AccountStoreSqlite.layer({
      did: alice.did,
      tables: accountTables,
      wipe: Effect.sync(() => AccountStoreSqlite.dropTables(sql))
    })
  )
)

/** An empty database of Node. */
export const sqlLayer = SqlStorageNode.layer(":memory:")
