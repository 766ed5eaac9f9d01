import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AuthorizationRequest, ClientAuth } from "../../core/oauth/types.ts"
import {
  type CodeGrant,
  OAuthRequests,
  OAuthStoreUnavailable,
  type PendingRequest
} from "../../services/oauth/OAuthRequests.ts"
import { inBucket, trimBucket } from "../host/sql/buckets.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"
import { hashOf, randomText } from "../host/secretText.ts"
import type { Database } from "../host/sql/sqlTables.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import type { SqlError } from "effect/sql/SqlError"
import { spanned } from "../../services/operators/spanned.ts"

/** Runs queries whose failures are those of the OAuth provider's store. */
export const oauthQueriesOver = (database: Database, tables: ReadonlyArray<string>) =>
  queriesOver(
    database,
    tables,
    (operation) => (cause: SqlError) => new OAuthStoreUnavailable({ operation, cause })
  )

/**
 * Pushed requests, codes and single-use keys. Keys are SHA-256 of what the client has.
 *
 * Requests and codes are pruned by age rather than expiry, because an index updated by every page
 * view would bill rows.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS oauth_request (
    hash TEXT PRIMARY KEY, parameters TEXT NOT NULL, client_auth TEXT NOT NULL, jkt TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, device TEXT
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS oauth_request_created_at ON oauth_request (created_at)`,
  `CREATE INDEX IF NOT EXISTS oauth_request_device ON oauth_request (device) WHERE device IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS oauth_code (
    hash TEXT PRIMARY KEY, stands_for TEXT NOT NULL, created_at INTEGER NOT NULL, redeemed_at INTEGER
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS oauth_code_created_at ON oauth_code (created_at)`,
  `CREATE TABLE IF NOT EXISTS oauth_used_once (
    hash TEXT PRIMARY KEY, expires_at INTEGER NOT NULL
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS oauth_used_once_expires_at ON oauth_used_once (expires_at)`
]

const second = 1000
const minute = 60 * second

/** How long a request waits for the user's next step, and in total, in milliseconds. */
const requestLife = { idle: 5 * minute, inAll: 60 * minute }

/** How long a code is valid, and how long its use is remembered, in milliseconds. */
export const codeLife = { good: minute, remembered: 24 * 60 * minute }

/**
 * The most rows in a bucket of each table. Drops unopened requests first, then the oldest; a replay
 * of a dropped code is not recognized. Single-use keys are never dropped early: strangers choose
 * them, so a full bucket rejects new ones.
 */
export const perBucket = { requests: 4, codes: 2, usedOnce: 64 }

/** The most rows that one write removes: more than it adds, so nothing accumulates. */
const pruneStep = 20

/**
 * Service auth has its own buckets: anyone can create tokens that are valid for a day, and those
 * must not block OAuth clients.
 */
const spaceOf = (key: string): string => (key.startsWith("service:") ? "service " : "")

const uriPrefix = "urn:ietf:params:oauth:request_uri:req-"

interface RequestRow {
  readonly parameters: string
  readonly client_auth: string
  readonly jkt: string
  readonly created_at: number
  readonly expires_at: number
  readonly device: string | null
}

// SAFETY: `push` wrote these texts, from values of these types.
const requestOf = (row: RequestRow): PendingRequest => ({
  parameters: JSON.parse(row.parameters) as AuthorizationRequest,
  clientAuth: JSON.parse(row.client_auth) as ClientAuth,
  jkt: row.jkt,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  device: row.device ?? undefined
})

interface CodeRow {
  readonly stands_for: string
  readonly created_at: number
}

// SAFETY: `createCode` wrote this text, from a value of this type.
const grantOf = (row: Pick<CodeRow, "stands_for">): CodeGrant =>
  JSON.parse(row.stands_for) as CodeGrant

const make = (database: Database): OAuthRequests["Service"] => {
  const { sql, batch } = database
  const { once, repeatable } = oauthQueriesOver(database, tables)

  const push = spanned("OAuthRequests.push")(function* (request: {
    readonly parameters: AuthorizationRequest
    readonly clientAuth: ClientAuth
    readonly jkt: string
  }) {
    const now = yield* Clock.currentTimeMillis
    const requestUri = `${uriPrefix}${randomText(16)}`
    const hash = hashOf(requestUri)
    const { parameters, clientAuth, jkt } = request
    yield* repeatable(
      "push",
      batch([
        sql`INSERT OR IGNORE INTO oauth_request (hash, parameters, client_auth, jkt, created_at, expires_at)
          VALUES (${hash}, ${JSON.stringify(parameters)}, ${JSON.stringify(clientAuth)},
            ${jkt}, ${now}, ${now + requestLife.idle})`,
        sql`DELETE FROM oauth_request WHERE hash IN (SELECT hash FROM oauth_request
          WHERE created_at <= ${now - requestLife.idle} AND expires_at <= ${now}
          ORDER BY created_at LIMIT ${pruneStep})`,
        trimBucket(
          sql,
          { name: "oauth_request", key: "hash" },
          hash,
          sql`device IS NULL, created_at DESC`,
          perBucket.requests
        )
      ])
    )
    return { requestUri, expiresIn: requestLife.idle / second }
  })

  const open = spanned("OAuthRequests.open")(function* (requestUri: string, device: string) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* repeatable(
      "open",
      sql<RequestRow>`UPDATE oauth_request SET device = ${device},
          expires_at = min(${now + requestLife.idle}, created_at + ${requestLife.inAll})
        WHERE hash = ${hashOf(requestUri)} AND expires_at > ${now}
          AND (device IS NULL OR device = ${device}) RETURNING *`
    )
    return row === undefined ? undefined : requestOf(row)
  })

  const take = spanned("OAuthRequests.take")(function* (requestUri: string, device: string) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* once(
      "take",
      sql<RequestRow>`DELETE FROM oauth_request WHERE hash = ${hashOf(requestUri)}
        AND device = ${device} AND expires_at > ${now} RETURNING *`
    )
    return row === undefined ? undefined : requestOf(row)
  })

  const createCode = spanned("OAuthRequests.createCode")(function* (grant: CodeGrant) {
    const now = yield* Clock.currentTimeMillis
    const code = `cod-${randomText(32)}`
    const hash = hashOf(code)
    yield* repeatable(
      "createCode",
      batch([
        sql`INSERT OR IGNORE INTO oauth_code (hash, stands_for, created_at)
          VALUES (${hash}, ${JSON.stringify(grant)}, ${now})`,
        sql`DELETE FROM oauth_code WHERE hash IN (SELECT hash FROM oauth_code
          WHERE created_at <= ${now - codeLife.remembered} ORDER BY created_at LIMIT ${pruneStep})`,
        trimBucket(
          sql,
          { name: "oauth_code", key: "hash" },
          hash,
          sql`created_at DESC`,
          perBucket.codes
        )
      ])
    )
    return code
  })

  const redeem = spanned("OAuthRequests.redeem")(function* (code: string) {
    const now = yield* Clock.currentTimeMillis
    const hash = hashOf(code)
    const [won] = yield* once(
      "redeem",
      sql<CodeRow>`UPDATE oauth_code SET redeemed_at = ${now}
        WHERE hash = ${hash} AND redeemed_at IS NULL AND created_at > ${now - codeLife.good}
        RETURNING stands_for, created_at`
    )
    if (won !== undefined) {
      return { kind: "redeemed" as const, grant: grantOf(won), agreedAt: won.created_at }
    }
    // Nothing resets `redeemed_at`, so checking afterwards is soon enough.
    const [used] = yield* repeatable(
      "redeem",
      sql<Pick<CodeRow, "stands_for">>`SELECT stands_for FROM oauth_code
        WHERE hash = ${hash} AND redeemed_at > ${now - codeLife.remembered}`
    )
    if (used === undefined) return { kind: "unknown" as const }
    const { did, session } = grantOf(used)
    return { kind: "replayed" as const, did, session }
  })

  const useOnce = spanned("OAuthRequests.useOnce")(function* (key: string, expiresAt: number) {
    const now = yield* Clock.currentTimeMillis
    const space = spaceOf(key)
    const hash = `${space}${hashOf(key)}`
    const [taken] = yield* once(
      "useOnce",
      batch([
        sql`INSERT INTO oauth_used_once (hash, expires_at) SELECT ${hash}, ${expiresAt}
          WHERE (SELECT count(*) FROM oauth_used_once WHERE ${inBucket(sql, "hash", hash, space)}
            AND hash <> ${hash} AND expires_at > ${now}) < ${perBucket.usedOnce}
          ON CONFLICT (hash) DO UPDATE SET expires_at = excluded.expires_at WHERE expires_at <= ${now}
          RETURNING hash`,
        sql`DELETE FROM oauth_used_once WHERE hash IN (SELECT hash FROM oauth_used_once
          WHERE expires_at <= ${now} ORDER BY expires_at LIMIT ${pruneStep})`
      ])
    )
    return taken?.length === 1
  })

  return OAuthRequests.of({ push, open, take, createCode, redeem, useOnce })
}

/** Requests and codes in the host's database. */
export const layer: Layer.Layer<OAuthRequests, never, HostDatabase> = Layer.effect(
  OAuthRequests,
  Effect.map(HostDatabase, make)
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  oauth_request: {
    filledBy: "anybody",
    bound:
      "16,384 requests of 24 KiB; those that no browser has opened go first; an hour each at most",
    bytes: 64 * 64 * 4 * 25 * 1024,
    per: "host"
  },
  oauth_code: {
    filledBy: "its owner",
    bound: "8,192 codes of 48 KiB; the oldest go; a day each",
    bytes: 64 * 64 * 2 * 50 * 1024,
    per: "host"
  },
  oauth_used_once: {
    filledBy: "anybody",
    bound:
      "262,144 hashes of service tokens, and as many others, then another is refused; a day each at most",
    bytes: 2 * 64 * 64 * 64 * 256,
    per: "host"
  }
})
