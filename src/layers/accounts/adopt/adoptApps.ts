import type { ClientAuth } from "../../../core/oauth/types.ts"
import { newSessionId, sessionKinds } from "../../../core/sessions/sessionId.ts"
import type { OAuthSession } from "../../../services/oauth/OAuthSessions.ts"
import type { SqlStorage } from "../../../services/host/SqlStorage.ts"
import * as AdoptedTokens from "../../oauth/AdoptedTokensD1.ts"
import { rowsOver } from "../../oauth/oauthSessionRows.ts"
import { hashOf } from "../../oauth/refreshTokens.ts"
import { millisOf, parsed, type SourceDatabase, type SourceRow, textOf } from "./sourceDatabase.ts"

type Sql = SqlStorage["Service"]

/** An OAuth session of a reference PDS, with its refresh token. */
interface App {
  readonly session: Omit<OAuthSession, "id">
  readonly token: string
}

const day = 24 * 3_600_000

/** How long the reference accepts a public client's session, and a confidential client's token. */
const lives = { session: 14 * day, refresh: 91 * day }

/** The most sessions that are kept; the newest stay. */
const mostSessions = 1000

/** How the client authenticated; an older version of the reference wrote the assertion's type. */
const authOf = ({ method, alg, kid, jkt }: Readonly<Record<string, unknown>>) => {
  if (method === "none") return { method } satisfies ClientAuth
  const isByKey =
    method === "private_key_jwt" ||
    method === "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
  const isWhole = typeof alg === "string" && typeof kid === "string" && typeof jkt === "string"
  return isByKey && isWhole
    ? ({ method: "private_key_jwt", alg, kid, jkt } satisfies ClientAuth)
    : undefined
}

/** A session that can go on here; undefined if a part of it is missing or it has expired. */
const appOf = (row: SourceRow, now: number): App | undefined => {
  const token = textOf(row, "currentRefreshToken") ?? ""
  const { scope, dpop_jkt: jkt } = parsed(textOf(row, "parameters"))
  const clientAuth = authOf(parsed(textOf(row, "clientAuth")))
  const createdAt = millisOf(row, "createdAt") ?? 0
  const refreshedAt = millisOf(row, "updatedAt") ?? createdAt
  const isPublic = clientAuth?.method === "none"
  const expiresAt = isPublic ? createdAt + lives.session : refreshedAt + lives.refresh
  const isUsable =
    AdoptedTokens.isReferenceToken(token) && typeof scope === "string" && typeof jkt === "string"
  if (clientAuth === undefined || !isUsable || expiresAt <= now) return undefined
  const client = { clientId: String(row["clientId"]), clientAuth, jkt, device: "" }
  const session = { ...client, scope, granted: scope, createdAt, refreshedAt, expiresAt }
  return { session, token }
}

/** The OAuth sessions of an account that can go on here. */
export const appsOf = (source: SourceDatabase, did: string, now: number): ReadonlyArray<App> => {
  const columns = source.columns("token")
  if (!columns.has("currentRefreshToken") || !columns.has("parameters")) return []
  const query = "SELECT * FROM token WHERE did = ? ORDER BY createdAt DESC"
  return [...source.rows(query, did)].flatMap((row) => appOf(row, now) ?? []).slice(0, mostSessions)
}

/**
 * Copies OAuth sessions: a row of the account each, and one of the directory, by which the old
 * refresh token finds the account.
 */
export const adoptApps = (
  apps: ReadonlyArray<App>,
  did: string,
  to: { readonly sql: Sql; readonly directory: Sql }
): void => {
  // An earlier run was cut off before it had the account.
  to.directory.exec("DELETE FROM adopted_token WHERE did = ?", did)
  const rows = rowsOver(to.sql)
  for (const { session, token } of apps) {
    const id = newSessionId(sessionKinds.oauth, session.createdAt)
    const own = AdoptedTokens.ownForm({ did, session: id }, token)
    rows.insert({ session: { ...session, id }, current: hashOf(own) }, {})
    to.directory.exec(
      "INSERT OR REPLACE INTO adopted_token (hash, did, session, expires_at) VALUES (?, ?, ?, ?)",
      AdoptedTokens.hashOf(token),
      did,
      id,
      session.expiresAt
    )
  }
}
