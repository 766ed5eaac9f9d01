import { millisOf, type SourceDatabase, type SourceRow, textOf } from "./sourceDatabase.ts"

/** An account of a reference PDS, as its database describes it. */
export interface SourceAccount {
  readonly did: string
  readonly handle: string | undefined
  readonly createdAt: number
  readonly takedown: string | undefined
  readonly deactivatedAt: string | undefined
  readonly deleteAfter: string | undefined
  readonly email: string | undefined
  readonly password: string | undefined
  readonly emailConfirmedAt: string | undefined
  readonly invitesDisabled: boolean
  /** The invite code that it used. */
  readonly invite: string | undefined
}

const accountOf = (row: SourceRow): SourceAccount => ({
  did: String(row["did"]),
  handle: textOf(row, "handle"),
  createdAt: millisOf(row, "createdAt") ?? 0,
  takedown: textOf(row, "takedownRef"),
  deactivatedAt: textOf(row, "deactivatedAt"),
  deleteAfter: textOf(row, "deleteAfter"),
  email: textOf(row, "email")?.toLowerCase(),
  password: textOf(row, "passwordScrypt"),
  emailConfirmedAt: textOf(row, "emailConfirmedAt"),
  invitesDisabled: Number(row["invitesDisabled"] ?? 0) !== 0,
  invite: textOf(row, "invite")
})

/** All accounts, by DID. */
export const accountsOf = (database: SourceDatabase): ReadonlyArray<SourceAccount> => {
  const invite =
    "(SELECT code FROM invite_code_use WHERE usedBy = actor.did ORDER BY usedAt LIMIT 1)"
  const query = `SELECT actor.*, email, passwordScrypt, emailConfirmedAt, invitesDisabled,
      ${invite} AS invite
    FROM actor LEFT JOIN account ON account.did = actor.did ORDER BY actor.did`
  return [...database.rows(query)].map(accountOf)
}

/** How many rows a table has; 0 if there is no such table. */
export const countOf = (database: SourceDatabase, table: string, where = "1"): number => {
  if (database.columns(table).size === 0) return 0
  const [row] = database.rows(`SELECT count(*) AS n FROM ${table} WHERE ${where}`)
  return Number(row?.["n"] ?? 0)
}
