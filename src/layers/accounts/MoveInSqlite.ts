import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { MoveIn } from "../../services/accounts/MoveIn.ts"
import { Config } from "../../services/host/Config.ts"
import { sealer } from "../../services/host/sealedSecrets.ts"
import { bytesOf, SqlStorage } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row while an account moves in by its pages, sealed: it holds sessions. */
export const tables = [
  "CREATE TABLE IF NOT EXISTS move_in (one INTEGER PRIMARY KEY CHECK (one = 1), sealed BLOB NOT NULL)"
]

/** The sealed notes in the object's SQLite. */
export const layer = Layer.effect(
  MoveIn,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const accounts = yield* AccountStore
    const secrets = sealer(yield* Config, "moves in")
    const owner = Effect.map(accounts.get, ({ did }) => did)

    return MoveIn.of({
      get: Effect.gen(function* () {
        const did = yield* owner
        const [row] = sql.exec<{ sealed: ArrayBuffer }>("SELECT sealed FROM move_in").toArray()
        const opened = row === undefined ? undefined : secrets.tryOpen(did, bytesOf(row.sealed))
        // After a rotation of the master key the owner signs in to the old server again.
        return opened === undefined ? undefined : new TextDecoder().decode(opened)
      }),
      set: Effect.fnUntraced(function* (text) {
        const did = yield* owner
        const sealed =
          text === undefined ? undefined : yield* secrets.seal(did, new TextEncoder().encode(text))
        if (sealed === undefined) sql.exec("DELETE FROM move_in")
        else sql.exec("INSERT OR REPLACE INTO move_in (one, sealed) VALUES (1, ?)", sealed)
      })
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  move_in: {
    filledBy: "its owner",
    bound: "one row",
    bytes: 64 * 1024,
    per: "account"
  }
})
