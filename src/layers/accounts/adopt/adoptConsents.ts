import type { SqlStorage } from "../../../services/host/SqlStorage.ts"
import { budget } from "../../oauth/OAuthSessionsSqlite.ts"
import { parsed, type SourceDatabase, textOf } from "./sourceDatabase.ts"

/** What an account's owner allowed an OAuth app, as this server remembers it. */
export interface Consent {
  readonly client: string
  readonly scope: string
}

/** A scope's value; one with a minus would be remembered as left out. */
const isValue = (value: unknown): value is string =>
  typeof value === "string" && /^(?!-)[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)

/** The longest client id and scope; longer ones are dropped. */
const longest = { client: 2048, scope: 16 * 1024 }

/** What an account's owner allowed, the newest first, as far as it can be remembered here. */
export const consentsOf = (source: SourceDatabase, did: string): ReadonlyArray<Consent> => {
  if (!source.columns("authorized_client").has("data")) return []
  const query = "SELECT clientId, data FROM authorized_client WHERE did = ? ORDER BY updatedAt DESC"
  return [...source.rows(query, did)]
    .flatMap((row) => {
      const client = textOf(row, "clientId") ?? ""
      const { authorizedScopes: values } = parsed(textOf(row, "data"))
      if (!Array.isArray(values) || values.length === 0 || !values.every(isValue)) return []
      const scope = values.join(" ")
      const isShort = client.length <= longest.client && scope.length <= longest.scope
      return isShort ? [{ client, scope }] : []
    })
    .slice(0, budget.consents)
}

/** Copies what an account's owner allowed. */
export const adoptConsents = (
  consents: ReadonlyArray<Consent>,
  sql: SqlStorage["Service"]
): void => {
  for (const { client, scope } of consents) {
    sql.exec("INSERT INTO oauth_consent (client, scope) VALUES (?, ?)", client, scope)
  }
}
