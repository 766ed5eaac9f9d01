import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import { invalidHandle } from "../../core/identity/handle.ts"
import type {
  Directory,
  DirectoryUnavailable,
  Invite,
  Invited,
  InviteOrder,
  InvitePage
} from "../../services/accounts/Directory.ts"
import type { Database } from "../host/sql/sqlTables.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/**
 * Each use of an invite is a row: it stays when the account is deleted, and goes when a reservation
 * is released. Few codes have a row in `invite_note`.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS invites (
    code TEXT PRIMARY KEY, available INTEGER NOT NULL, disabled INTEGER NOT NULL DEFAULT 0,
    for_account TEXT NOT NULL, created_by TEXT NOT NULL, created_at INTEGER NOT NULL
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS invites_for_account ON invites (for_account, created_at)`,
  `CREATE TABLE IF NOT EXISTS invite_uses (
    code TEXT NOT NULL, used_by TEXT NOT NULL, used_at INTEGER NOT NULL, PRIMARY KEY (code, used_by)
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS invite_note (
    code TEXT PRIMARY KEY, note TEXT, expires_at INTEGER
  ) WITHOUT ROWID`
]

interface InviteRow {
  readonly code: string
  readonly available: number
  readonly disabled: number
  readonly for_account: string
  readonly created_by: string
  readonly created_at: number
  readonly used_by: string | null
  readonly used_at: number | null
  readonly note: string | null
  readonly expires_at: number | null
}

interface InvitedRow {
  readonly did: string
  readonly handle: string
  readonly created_at: number
  readonly invite: string | null
  readonly note: string | null
  readonly inviter: string | null
}

const invitedFrom = (row: InvitedRow): Invited => ({
  did: row.did,
  handle: row.handle === row.did ? invalidHandle : row.handle,
  createdAt: row.created_at,
  ...(row.invite === null ? {} : { code: row.invite }),
  ...(row.inviter === null ? {} : { by: row.inviter }),
  ...(row.note === null ? {} : { note: row.note })
})

/** Groups adjacent rows of codes and their uses into codes. */
const invitesFrom = (rows: ReadonlyArray<InviteRow>): ReadonlyArray<Invite> => {
  const invites = new Map<string, Invite & { uses: Array<Invite["uses"][number]> }>()
  for (const row of rows) {
    const invite = invites.get(row.code) ?? {
      code: row.code,
      available: row.available,
      disabled: row.disabled !== 0,
      forAccount: row.for_account,
      createdBy: row.created_by,
      createdAt: row.created_at,
      ...(row.note === null ? {} : { note: row.note }),
      ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
      uses: []
    }
    if (row.used_by !== null && row.used_at !== null) {
      invite.uses.push({ usedBy: row.used_by, usedAt: row.used_at })
    }
    invites.set(row.code, invite)
  }
  return [...invites.values()]
}

/** The rank in a listing, highest first. */
const rankOf = (invite: Invite, order: InviteOrder): number =>
  order === "usage" ? invite.uses.length : invite.createdAt

type Repeatable = <A>(
  operation: string,
  query: Effect.Effect<A, SqlError>
) => Effect.Effect<A, DirectoryUnavailable>

/** The directory's methods for invite codes. */
export const make = ({ sql, batch }: Database, repeatable: Repeatable) => {
  const createInvites: Directory["Service"]["createInvites"] = Effect.fn("Directory.createInvites")(
    function* ({ codes, available, createdBy, note, expiresAt }) {
      const now = yield* Clock.currentTimeMillis
      const rows = codes.map(
        ({ code, forAccount }) =>
          sql<object>`INSERT OR IGNORE INTO invites (code, available, for_account, created_by, created_at)
          VALUES (${code}, ${available}, ${forAccount}, ${createdBy}, ${now})`
      )
      const hasNote = note !== undefined || expiresAt !== undefined
      const notes = (hasNote ? codes : []).map(
        ({ code }) =>
          sql<object>`INSERT OR IGNORE INTO invite_note (code, note, expires_at)
          VALUES (${code}, ${note ?? null}, ${expiresAt ?? null})`
      )
      yield* repeatable("createInvites", batch([...rows, ...notes]))
    }
  )

  const listInvites: Directory["Service"]["listInvites"] = Effect.fn("Directory.listInvites")(
    function* ({ order, limit, after }: InvitePage) {
      const byUsage = order === "usage" ? 1 : 0
      const rank = after?.rank ?? Number.MAX_SAFE_INTEGER
      const ranked = sql`SELECT *, CASE WHEN ${byUsage}
          THEN (SELECT count(*) FROM invite_uses WHERE code = invites.code) ELSE created_at END AS rank
        FROM invites`
      const rows = yield* repeatable(
        "listInvites",
        sql<InviteRow>`SELECT page.*, used_by, used_at, note, expires_at FROM
          (SELECT * FROM (${ranked}) WHERE (rank, code) < (${rank}, ${after?.code ?? ""})
            ORDER BY rank DESC, code DESC LIMIT ${limit}) AS page
          LEFT JOIN invite_uses ON invite_uses.code = page.code
          LEFT JOIN invite_note ON invite_note.code = page.code
          ORDER BY page.rank DESC, page.code DESC, used_at`
      )
      const invites = invitesFrom(rows)
      const last = invites.length < limit ? undefined : invites.at(-1)
      return last === undefined
        ? { invites }
        : { invites, next: { rank: rankOf(last, order), code: last.code } }
    }
  )

  const selected = sql`SELECT invites.*, used_by, used_at, note, expires_at FROM invites
    LEFT JOIN invite_uses ON invite_uses.code = invites.code
    LEFT JOIN invite_note ON invite_note.code = invites.code`

  const inviter = sql`CASE WHEN for_account = 'admin' THEN created_by ELSE for_account END`

  /** All accounts, or those of one inviter; the latter reads the codes that may be the inviter's. */
  const invited: Directory["Service"]["invited"] = Effect.fn("Directory.invited")(function* ({
    by,
    after = "",
    limit
  }) {
    const known = sql`status <> 'reserved' AND did > ${after}`
    const rows = yield* repeatable(
      "invited",
      by === undefined
        ? sql<InvitedRow>`SELECT did, handle, accounts.created_at, invite, note, ${inviter} AS inviter
              FROM accounts LEFT JOIN invites ON invites.code = invite
              LEFT JOIN invite_note ON invite_note.code = invite
              WHERE ${known} ORDER BY did LIMIT ${limit}`
        : sql<InvitedRow>`SELECT did, handle, accounts.created_at, invite, note, ${by} AS inviter
              FROM invites JOIN invite_uses ON invite_uses.code = invites.code
              JOIN accounts ON did = used_by AND invite = invites.code
              LEFT JOIN invite_note ON invite_note.code = invites.code
              WHERE for_account IN (${by}, 'admin') AND ${inviter} = ${by} AND ${known}
              ORDER BY did LIMIT ${limit}`
    )
    return rows.map(invitedFrom)
  })

  return {
    createInvites,
    listInvites,
    invited,
    invitesOf: (did: string) =>
      repeatable(
        "invitesOf",
        sql<InviteRow>`${selected} WHERE for_account = ${did} ORDER BY created_at, invites.code, used_at`
      ).pipe(Effect.map(invitesFrom)),
    invite: (code: string) =>
      repeatable(
        "invite",
        sql<InviteRow>`${selected} WHERE invites.code = ${code} ORDER BY used_at`
      ).pipe(Effect.map((rows) => invitesFrom(rows)[0])),
    disableInvites: ({
      codes = [],
      accounts = []
    }: Parameters<Directory["Service"]["disableInvites"]>[0]) =>
      Effect.asVoid(
        repeatable(
          "disableInvites",
          batch([
            ...codes.map(
              (code) => sql<object>`UPDATE invites SET disabled = 1 WHERE code = ${code}`
            ),
            ...accounts.map(
              (did) => sql<object>`UPDATE invites SET disabled = 1 WHERE for_account = ${did}`
            )
          ])
        )
      )
  }
}

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  invites: {
    filledBy: "the administrator",
    bound: "what the administrator makes",
    bytes: 5 * 1024,
    per: "account"
  },
  invite_note: {
    filledBy: "operators",
    bound: "one row a code with a note of 200 characters or an end",
    bytes: 1024,
    per: "account"
  },
  invite_uses: {
    filledBy: "a sign-up",
    bound: "one row an account",
    bytes: 5 * 1024,
    per: "account"
  }
})
