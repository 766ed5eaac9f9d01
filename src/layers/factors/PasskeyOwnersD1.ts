import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PasskeyOwners } from "../../services/factors/PasskeyOwners.ts"
import { HostDatabase } from "../host/sql/HostDatabase.ts"
import { oauthQueriesOver } from "../oauth/OAuthRequestsD1.ts"
import type { Database } from "../host/sql/sqlTables.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row a passkey; the key itself is in the account's object. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS passkey_owner (
    credential TEXT PRIMARY KEY, did TEXT NOT NULL
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS passkey_owner_did ON passkey_owner (did)`
]

const make = (database: Database): PasskeyOwners["Service"] => {
  const { sql } = database
  const { once, repeatable } = oauthQueriesOver(database, tables)

  return PasskeyOwners.of({
    ownerOf: (credentialId) =>
      repeatable(
        "ownerOf",
        sql<{ did: string }>`SELECT did FROM passkey_owner WHERE credential = ${credentialId}`
      ).pipe(Effect.map(([row]) => row?.did)),
    add: (credentialId, did) =>
      once(
        "addPasskey",
        sql`INSERT INTO passkey_owner (credential, did) VALUES (${credentialId}, ${did})
          ON CONFLICT DO NOTHING RETURNING did`
      ).pipe(Effect.map((added) => added.length === 1)),
    remove: (credentialId, did) =>
      repeatable(
        "removePasskey",
        sql`DELETE FROM passkey_owner WHERE credential = ${credentialId} AND did = ${did}`
      ).pipe(Effect.asVoid),
    removeAll: (did) =>
      repeatable("removePasskeys", sql`DELETE FROM passkey_owner WHERE did = ${did}`).pipe(
        Effect.asVoid
      )
  })
}

/** The owners of passkeys in the host's database. */
export const layer: Layer.Layer<PasskeyOwners, never, HostDatabase> = Layer.effect(
  PasskeyOwners,
  Effect.map(HostDatabase, make)
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  passkey_owner: {
    filledBy: "its owner",
    bound: "one row a passkey, 100 an account",
    bytes: 100 * 5 * 1024,
    per: "account"
  }
})
