import { createHmac, type KeyObject, randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  formatRecoveryCode,
  normalizeRecoveryCode,
  recoveryCodeBytes
} from "../../core/factors/recoveryCode.ts"
import { formatTotpSecret, totpSecretLength, totpStep } from "../../core/factors/totp.ts"
import { sameBytes } from "../../core/bytes/bytes.ts"
import { AccountHistory, noter } from "../../services/accounts/AccountHistory.ts"
import { Config } from "../../services/host/Config.ts"
import {
  NoAuthenticator,
  SecondFactors,
  TooManyCodes,
  WrongCode
} from "../../services/factors/SecondFactors.ts"
import { bytesOf, SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import { totpSealer } from "../../services/identity/keys/rewrapRows.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import * as KeptKeys from "../sessions/KeptKeysSqlite.ts"

/**
 * The active authenticator (`in_force` 1) and a pending one (0), with the last used time step;
 * unused recovery codes, as hashes; the times of wrong codes, in one row. `refused_code` counts
 * rejections since a time, and records whether the owner was warned.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS authenticator (
    in_force INTEGER PRIMARY KEY, secret BLOB NOT NULL, since INTEGER NOT NULL, last_step INTEGER NOT NULL
  )`,
  "CREATE TABLE IF NOT EXISTS recovery_code (hash TEXT PRIMARY KEY) WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS wrong_code (
    one INTEGER PRIMARY KEY CHECK (one = 1), times TEXT NOT NULL
  )`,
  `CREATE TABLE IF NOT EXISTS refused_code (
    one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL, codes INTEGER NOT NULL,
    told INTEGER NOT NULL
  )`,
  ...KeptKeys.tables
]

/** How many recovery codes are created at once. */
const recoveryCodes = 10

/** The most wrong codes within the window, in milliseconds. */
const maxWrong = 10
const wrongWindow = 15 * 60 * 1000

/**
 * The number of rejected codes, and the window in milliseconds, after which the owner is warned.
 */
const manyRefused = 12
const refusedWindow = 24 * 60 * 60 * 1000

interface Row extends Record<string, SqlValue> {
  secret: ArrayBuffer
  since: number
  last_step: number
}

type Needs = SqlStorage | AccountHistory | Config

/** An account's second factors in the object's SQLite; checks and records each code in one turn. */
export const layer: Layer.Layer<SecondFactors, never, Needs> = Layer.effect(
  SecondFactors,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const history = yield* AccountHistory
    const noting = Effect.provideService(noter, AccountHistory, history)
    const config = yield* Config
    const secrets = totpSealer(config)
    const keys = KeptKeys.keptKeys(sql, config, "recovery codes")

    // 50 random bits need no slow hash as long as a reader of the storage lacks the key.
    const hashOf = (code: string, key = keys.current): string =>
      createHmac("sha256", key).update(code).digest("base64url")

    const authenticator = (inForce: 0 | 1): Row | undefined =>
      sql.exec<Row>("SELECT * FROM authenticator WHERE in_force = ?", inForce).toArray()[0]

    const putAuthenticator = (inForce: 0 | 1, secret: Uint8Array, since: number, step: number) => {
      sql.exec(
        `INSERT INTO authenticator VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
          SET secret = excluded.secret, since = excluded.since, last_step = excluded.last_step`,
        inForce,
        secret,
        since,
        step
      )
    }

    /** Replaces the recovery codes; this is the only time they are returned. */
    const putRecoveryCodes = (): ReadonlyArray<string> => {
      const codes = Array.from({ length: recoveryCodes }, () =>
        formatRecoveryCode(randomBytes(recoveryCodeBytes))
      )
      sql.exec("DELETE FROM recovery_code")
      for (const code of codes) {
        sql.exec(
          "INSERT INTO recovery_code VALUES (?)",
          hashOf(normalizeRecoveryCode(code) ?? code)
        )
      }
      return codes
    }

    const useRecoveryCode = (typed: string): "recovery" | undefined => {
      const code = normalizeRecoveryCode(typed)
      if (code === undefined) return undefined
      const remove = (key: KeyObject): boolean =>
        sql.exec("DELETE FROM recovery_code WHERE hash = ?", hashOf(code, key)).rowsWritten > 0
      return remove(keys.current) || keys.older().some(remove) ? "recovery" : undefined
    }

    const wrongTimes = (now: number): ReadonlyArray<number> => {
      const [row] = sql.exec<{ times: string }>("SELECT times FROM wrong_code").toArray()
      // SAFETY: only the code below writes the column.
      const times = row === undefined ? [] : (JSON.parse(row.times) as ReadonlyArray<number>)
      return times.filter((at) => at + wrongWindow > now)
    }

    const blockedAt = (now: number) => {
      const [first, ...more] = wrongTimes(now)
      const isBlocked = first !== undefined && more.length + 1 >= maxWrong
      return isBlocked ? { codesBlockedUntil: first + wrongWindow } : {}
    }

    /**
     * Checks a code in one turn, so of two concurrent uses one succeeds, and every attempt counts.
     */
    const attempt = <A>(judge: (now: number) => A | undefined) =>
      Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<A, WrongCode | TooManyCodes> => {
        const wrong = wrongTimes(now)
        if (wrong.length >= maxWrong) {
          const retryAfterSeconds = Math.ceil((wrong[0]! + wrongWindow - now) / 1000)
          return Effect.fail(new TooManyCodes({ retryAfterSeconds }))
        }
        const judged = judge(now)
        if (judged !== undefined) return Effect.succeed(judged)
        const times = JSON.stringify([...wrong, now])
        sql.exec(
          "INSERT INTO wrong_code VALUES (1, ?) ON CONFLICT DO UPDATE SET times = excluded.times",
          times
        )
        return Effect.fail(new WrongCode())
      })

    /** Counts a rejected code, in a window that starts with the first. */
    const isOwnerToBeNotified = Effect.map(Clock.currentTimeMillis, (now) => {
      sql.exec(
        `INSERT INTO refused_code VALUES (1, ?, 1, 0) ON CONFLICT DO UPDATE SET
          codes = CASE WHEN since > ? THEN codes + 1 ELSE 1 END,
          told = CASE WHEN since > ? THEN told ELSE 0 END,
          since = CASE WHEN since > ? THEN since ELSE excluded.since END`,
        now,
        ...Array.from({ length: 3 }, () => now - refusedWindow)
      )
      const told = "UPDATE refused_code SET told = 1 WHERE told = 0 AND codes >= ? RETURNING one"
      return sql.exec(told, manyRefused).toArray().length > 0
    })

    /** The authenticator with its decrypted secret; checked again when a code is used. */
    const opened = Effect.fnUntraced(function* (did: string, inForce: 0 | 1) {
      const row = authenticator(inForce)
      if (row === undefined) return undefined
      const sealed = bytesOf(row.secret)
      return { sealed, secret: yield* secrets.open(did, sealed) }
    })

    /** The time step of a valid code, if it is later than any used before. */
    const stepOf = (
      known: { readonly sealed: Uint8Array; readonly secret: Uint8Array } | undefined,
      inForce: 0 | 1,
      code: string,
      now: number
    ): number | undefined => {
      const row = authenticator(inForce)
      if (known === undefined || row === undefined) return undefined
      if (!sameBytes(bytesOf(row.secret), known.sealed)) return undefined
      const step = totpStep(known.secret, code, now)
      return step !== undefined && step > row.last_step ? step : undefined
    }

    return SecondFactors.of({
      isOn: Effect.sync(() => authenticator(1) !== undefined),
      status: Effect.map(Clock.currentTimeMillis, (now) => ({
        authenticatorSince: authenticator(1)?.since,
        ...blockedAt(now),
        recoveryCodesLeft:
          sql.exec<{ n: number }>("SELECT count(*) AS n FROM recovery_code").toArray()[0]?.n ?? 0
      })),
      begin: Effect.fn("SecondFactors.begin")(function* (did) {
        const now = yield* Clock.currentTimeMillis
        const secret = new Uint8Array(randomBytes(totpSecretLength))
        putAuthenticator(0, yield* secrets.seal(did, secret), now, 0)
        return { secret: formatTotpSecret(secret) }
      }),
      confirm: Effect.fn("SecondFactors.confirm")(function* (did, code) {
        const begun = yield* opened(did, 0)
        if (begun === undefined) return yield* new NoAuthenticator()
        const note = yield* noting
        return yield* attempt((now) => {
          const step = stepOf(begun, 0, withoutGaps(code), now)
          if (step === undefined) return undefined
          return sql.transaction(() => {
            putAuthenticator(1, begun.sealed, now, step)
            sql.exec("DELETE FROM authenticator WHERE in_force = 0")
            note({ kind: "authenticator-on" })
            return putRecoveryCodes()
          })
        })
      }),
      disable: Effect.map(noting, (note) =>
        sql.transaction(() => {
          if (authenticator(1) !== undefined) note({ kind: "authenticator-off" })
          sql.exec("DELETE FROM authenticator")
          sql.exec("DELETE FROM recovery_code")
        })
      ),
      renewRecoveryCodes: Effect.gen(function* () {
        const note = yield* noting
        if (authenticator(1) === undefined) return yield* new NoAuthenticator()
        return sql.transaction(() => {
          note({ kind: "recovery-codes" })
          return putRecoveryCodes()
        })
      }),
      isOwnerToBeNotified,
      ownerWasNotNotified: Effect.sync(() => {
        sql.exec("UPDATE refused_code SET told = 0")
      }),
      use: Effect.fn("SecondFactors.use")(function* (did, code) {
        const known = yield* opened(did, 1)
        const typed = withoutGaps(code)
        return yield* attempt((now) => {
          if (!/^\d{6}$/.test(typed)) return useRecoveryCode(code)
          const step = stepOf(known, 1, typed, now)
          if (step === undefined) return undefined
          sql.exec("UPDATE authenticator SET last_step = ? WHERE in_force = 1", step)
          return "authenticator" as const
        })
      })
    })
  })
)

/** Apps show codes in groups, and people type them like that. */
const withoutGaps = (code: string): string => code.replace(/[\s-]/g, "")

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  authenticator: {
    filledBy: "its owner",
    bound: "two rows",
    bytes: 2 * 1024,
    per: "account"
  },
  recovery_code: {
    filledBy: "its owner",
    bound: "ten rows",
    bytes: 10 * 1024,
    per: "account"
  },
  refused_code: {
    filledBy: "a wrong code",
    bound: "one row",
    bytes: 1024,
    per: "account"
  },
  wrong_code: {
    filledBy: "a wrong code",
    bound: "one row",
    bytes: 1024,
    per: "account"
  }
})
