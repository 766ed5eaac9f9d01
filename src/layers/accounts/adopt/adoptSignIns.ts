import * as Effect from "effect/Effect"
import { toBase64Url } from "../../../core/bytes/base64url.ts"
import { sha256 } from "../../../core/repo/cid.ts"
import { newSessionId, sessionKinds } from "../../../core/sessions/sessionId.ts"
import type { Level } from "../../../core/sessions/sessionToken.ts"
import type { MasterKeys } from "../../../services/host/derivedSecrets.ts"
import type { SqlStorage } from "../../../services/host/SqlStorage.ts"
import { foreignKeysOf, olderKeysSealer } from "../../../services/identity/keys/olderKeys.ts"
import { adoptedHash } from "../../../services/sessions/Passwords.ts"
import { budget } from "../../sessions/AppPasswordsSqlite.ts"
import { adoptApps, appsOf } from "./adoptApps.ts"
import { adoptConsents, consentsOf } from "./adoptConsents.ts"
import { millisOf, type SourceDatabase, type SourceRow, textOf } from "./sourceDatabase.ts"

type Sql = SqlStorage["Service"]

/** The ways to sign in that an account keeps. */
export interface AdoptedSignIns {
  readonly appPasswords: number
  readonly sessions: number
  /** Sessions of OAuth apps. */
  readonly apps: number
  /** OAuth apps whose permissions are remembered. */
  readonly consents: number
}

/** How long a session of a reference PDS lasts, in milliseconds. */
const life = 90 * 24 * 3_600_000

/** The most sessions of a kind that are kept; the newest stay. */
const mostSessions = 1000

/** The app passwords whose hashes have the known form. */
const appPasswordsOf = (source: SourceDatabase, did: string) => {
  const rows = [
    ...source.rows("SELECT * FROM app_password WHERE did = ? ORDER BY createdAt DESC", did)
  ]
  return rows.slice(0, budget.passwords).flatMap((row) => {
    const hash = adoptedHash(String(row["passwordScrypt"]))
    return hash === undefined
      ? []
      : [
          {
            hash,
            name: String(row["name"]),
            isPrivileged: Number(row["privileged"] ?? 0) === 1,
            createdAt: String(row["createdAt"])
          }
        ]
  })
}

type AppPasswordRow = ReturnType<typeof appPasswordsOf>[number]

/** The newest refresh tokens of each session. */
const sessionsOf = (source: SourceDatabase, did: string, now: number): ReadonlyArray<SourceRow> => {
  const rows = source.rows(
    `SELECT * FROM refresh_token WHERE did = ? AND nextId IS NULL AND expiresAt > ?
      ORDER BY expiresAt DESC`,
    did,
    new Date(now).toISOString()
  )
  const left = { own: mostSessions, app: mostSessions }
  return [...rows].filter((row) => left[row["appPasswordName"] === null ? "own" : "app"]-- > 0)
}

const levelOf = (appPassword: AppPasswordRow | undefined): Level => {
  if (appPassword === undefined) return "full"
  return appPassword.isPrivileged ? "privileged" : "standard"
}

const putSession = (sql: Sql, row: SourceRow, appPassword: AppPasswordRow | undefined): void => {
  const expiresAt = millisOf(row, "expiresAt") ?? 0
  const createdAt = Math.max(0, expiresAt - life)
  const kind = appPassword === undefined ? sessionKinds.own : sessionKinds.appPassword
  sql.exec(
    "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, '[]')",
    newSessionId(kind, createdAt),
    levelOf(appPassword),
    appPassword?.name ?? null,
    createdAt,
    expiresAt,
    toBase64Url(sha256(String(row["id"])))
  )
}

/**
 * Copies app passwords and sessions, also those of OAuth apps, if there is a storage to copy them to.
 *
 * The secret that signed the sessions' tokens is kept, sealed, until the last of them expires.
 */
export const adoptSignIns = Effect.fnUntraced(function* (
  source: SourceDatabase,
  did: string,
  to:
    | {
        readonly sql: Sql
        readonly directory: Sql
        readonly keys: MasterKeys
        readonly jwtSecret: string | undefined
      }
    | undefined,
  now: number
) {
  const appPasswords = appPasswordsOf(source, did)
  const sessions = sessionsOf(source, did, now).filter((row) => {
    const name = textOf(row, "appPasswordName")
    return name === undefined || appPasswords.some((one) => one.name === name)
  })
  const apps = appsOf(source, did, now)
  const consents = consentsOf(source, did)
  const kept: AdoptedSignIns = {
    appPasswords: appPasswords.length,
    sessions: sessions.length,
    apps: apps.length,
    consents: consents.length
  }
  if (to === undefined) return kept
  const { sql, keys, jwtSecret } = to
  for (const { name, hash, isPrivileged, createdAt } of appPasswords) {
    sql.exec(
      "INSERT INTO app_password (name, hash, privileged, created_at) VALUES (?, ?, ?, ?)",
      name,
      hash,
      isPrivileged ? 1 : 0,
      createdAt
    )
  }
  sql.exec("INSERT INTO session_note VALUES ('app passwords', ?)", appPasswords.length)
  adoptApps(apps, did, to)
  adoptConsents(consents, sql)
  if (jwtSecret === undefined || sessions.length === 0) return { ...kept, sessions: 0 }
  for (const row of sessions) {
    const name = textOf(row, "appPasswordName")
    putSession(
      sql,
      row,
      name === undefined ? undefined : appPasswords.find((one) => one.name === name)
    )
  }
  const master = toBase64Url(sha256(`adopted ${did}`)).slice(0, 16)
  sql.exec(
    "INSERT INTO older_key (master, made_at, until, sealed) VALUES (?, ?, ?, ?)",
    master,
    now,
    now + life,
    yield* olderKeysSealer(keys).seal(master, foreignKeysOf(new TextEncoder().encode(jwtSecret)))
  )
  return kept
})
