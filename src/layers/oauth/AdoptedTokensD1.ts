import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { toBase64Url } from "../../core/bytes/base64url.ts"
import { makeRefreshToken } from "../../core/oauth/refreshToken.ts"
import { sha256 } from "../../core/repo/cid.ts"
import { OAuthStoreUnavailable } from "../../services/oauth/OAuthRequests.ts"
import { AdoptedTokens } from "../../services/oauth/AdoptedTokens.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row a refresh token of a reference PDS, which doesn't name its account. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS adopted_token (
    hash TEXT PRIMARY KEY, did TEXT NOT NULL, session TEXT NOT NULL, expires_at INTEGER NOT NULL
  ) WITHOUT ROWID`
]

/** A refresh token of a reference PDS. */
const form = /^ref-[0-9a-f]{64}$/

/** Whether a text is a refresh token of a reference PDS. */
export const isReferenceToken = (token: string): boolean => form.test(token)

/** The stored hash of such a token. */
export const hashOf = (token: string): string => toBase64Url(sha256(token))

/** This server's form of such a token; the account's row has the hash of this form. */
export const ownForm = (owner: { readonly did: string; readonly session: string }, token: string) =>
  makeRefreshToken(owner, sha256(token))

/** The adopted refresh tokens in the host's database. */
export const layer: Layer.Layer<never, never, HostDatabase> = Layer.effect(
  AdoptedTokens,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql } = database
    const { repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new OAuthStoreUnavailable({ operation, cause })
    )
    return {
      ownForm: Effect.fn("AdoptedTokens.ownForm")(function* (token: string) {
        if (!isReferenceToken(token)) return token
        const now = yield* Clock.currentTimeMillis
        const query = sql<{ did: string; session: string }>`SELECT did, session FROM adopted_token
          WHERE hash = ${hashOf(token)} AND expires_at > ${now}`
        const [owner] = yield* repeatable("adoptedToken", query)
        return owner === undefined ? token : ownForm(owner, token)
      })
    }
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  adopted_token: {
    filledBy: "the administrator",
    bound: "the newest 1,000 sessions of apps",
    bytes: 1000 * 5 * 1024,
    per: "account"
  }
})
