import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  mayFollow,
  verifyAuthentication,
  verifyRegistration
} from "../../core/factors/webauthn/ceremonies.ts"
import { WebAuthnFault } from "../../core/factors/webauthn/fault.ts"
import type { PasskeyJwk } from "../../core/factors/webauthn/publicKey.ts"
import { AccountHistory, noter } from "../../services/accounts/AccountHistory.ts"
import { type Passkey, PasskeyRefused, Passkeys } from "../../services/factors/Passkeys.ts"
import { SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/**
 * Passkeys by credential id: the public key (JWK), the counter, and the browser's data about them.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS passkey (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL, counter INTEGER NOT NULL,
    backup_eligible INTEGER NOT NULL, transports TEXT NOT NULL, created_at INTEGER NOT NULL, used_at INTEGER
  ) WITHOUT ROWID`
]

/** The longest name, in characters. */
const maxName = 64

/** The most passkeys of an account. */
export const budget = { passkeys: 100 }

interface Row extends Record<string, SqlValue> {
  id: string
  name: string
  key: string
  counter: number
  backup_eligible: number
  transports: string
  created_at: number
  used_at: number | null
}

// SAFETY: only `add` writes key and transports, from values of these types.
const fromRow = (row: Row): Passkey => ({
  id: row.id,
  name: row.name,
  transports: JSON.parse(row.transports) as ReadonlyArray<string>,
  createdAt: row.created_at,
  usedAt: row.used_at ?? undefined
})

const credentialOf = (row: Row) => ({
  key: JSON.parse(row.key) as PasskeyJwk,
  counter: row.counter,
  backupEligible: row.backup_eligible === 1
})

const refuse = (reason: string) => Effect.fail(new PasskeyRefused({ reason }))

/** The result of a ceremony; any error other than a fault is a defect. */
const proven = <A>(ceremony: () => Promise<A>): Effect.Effect<A, PasskeyRefused> =>
  Effect.flatten(
    Effect.promise(() =>
      ceremony().then(
        (proof) => Effect.succeed(proof),
        (error: unknown) =>
          error instanceof WebAuthnFault ? refuse(error.message) : Effect.die(error)
      )
    )
  )

const nameOf = (given: string): string => {
  const name = Array.from(given.trim()).slice(0, maxName).join("").trim()
  return name === "" ? "Passkey" : name
}

/** An account's passkeys in the object's SQLite. */
export const layer: Layer.Layer<Passkeys, never, SqlStorage | AccountHistory> = Layer.effect(
  Passkeys,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const history = yield* AccountHistory
    const noting = Effect.provideService(noter, AccountHistory, history)

    /** Removes a passkey, if it is there. */
    const remove = (id: string, note: Effect.Success<typeof noting>): void => {
      const found = find(id)
      if (found === undefined) return
      sql.transaction(() => {
        sql.exec("DELETE FROM passkey WHERE id = ?", id)
        note({ kind: "passkey-removed", subject: found.name })
      })
    }

    const find = (id: unknown): Row | undefined =>
      typeof id === "string"
        ? sql.exec<Row>("SELECT * FROM passkey WHERE id = ?", id).toArray()[0]
        : undefined

    return Passkeys.of({
      list: Effect.sync(() =>
        sql.exec<Row>("SELECT * FROM passkey ORDER BY created_at, id").toArray().map(fromRow)
      ),
      add: Effect.fn("Passkeys.add")(function* ({ name: given, response, ...ceremony }) {
        const made = yield* proven(() => verifyRegistration(response, ceremony))
        const now = yield* Clock.currentTimeMillis
        if (find(made.id) !== undefined)
          return yield* refuse("a credential id that is there already")
        const [there] = sql.exec<{ n: number }>("SELECT count(*) AS n FROM passkey").toArray()
        if ((there?.n ?? 0) >= budget.passkeys) {
          return yield* refuse(`an account has at most ${budget.passkeys} passkeys`)
        }
        const name = nameOf(given)
        const note = yield* noting
        sql.transaction(() => {
          sql.exec(
            "INSERT INTO passkey VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
            made.id,
            name,
            JSON.stringify(made.key),
            made.counter,
            made.backupEligible ? 1 : 0,
            JSON.stringify(made.transports),
            now
          )
          note({ kind: "passkey-added", subject: name })
        })
        const { id, transports } = made
        return { id, name, transports, createdAt: now, usedAt: undefined }
      }),
      verify: Effect.fn("Passkeys.verify")(function* (response, ceremony) {
        const known = find(response["id"])
        if (known === undefined) return yield* refuse("an unknown credential")
        const counter = yield* proven(() =>
          verifyAuthentication(response, ceremony, credentialOf(known))
        )
        const now = yield* Clock.currentTimeMillis
        // It may have been used or removed while the signature was verified.
        const current = find(known.id)
        if (current === undefined) return yield* refuse("an unknown credential")
        if (!mayFollow(counter, current.counter)) {
          return yield* refuse(
            "a counter that did not rise: the authenticator may have been copied"
          )
        }
        sql.exec(
          "UPDATE passkey SET counter = ?, used_at = ? WHERE id = ?",
          counter,
          now,
          current.id
        )
        return { ...fromRow(current), usedAt: now }
      }),
      rename: (id, name) =>
        Effect.sync(() => {
          sql.exec("UPDATE passkey SET name = ? WHERE id = ?", nameOf(name), id)
        }),
      remove: (id) => Effect.map(noting, (note) => remove(id, note)),
      removeUnlessLast: (id) =>
        Effect.map(noting, (note) => {
          const [other] = sql.exec("SELECT id FROM passkey WHERE id <> ? LIMIT 1", id).toArray()
          if (other === undefined) return false
          remove(id, note)
          return true
        })
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  passkey: {
    filledBy: "its owner",
    bound: "100 passkeys",
    bytes: 100 * 8192,
    per: "account"
  }
})
