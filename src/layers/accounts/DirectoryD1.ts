import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SqlError } from "effect/sql/SqlError"
import { invalidHandle } from "../../core/identity/handle.ts"
import {
  AccountExists,
  Directory,
  DirectoryUnavailable,
  EmailTaken,
  HandleNotAvailable,
  InvalidInviteCode,
  reservedFor,
  type DirectoryEntry,
  type DirectoryStatus,
  type Reservation,
  type ReservationRefused
} from "../../services/accounts/Directory.ts"
import * as Edge from "../edge/directoryEdge.ts"
import * as Handles from "./directoryHandles.ts"
import * as Invites from "./directoryInvites.ts"
import * as OperatorsD1 from "../operators/OperatorsD1.ts"
import * as Search from "./directorySearch.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"
import { type Database, violatedColumn } from "../host/sql/sqlTables.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/**
 * The directory's tables.
 *
 * `accounts.status` is `reserved` until the sign-up is complete.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS accounts (
    did TEXT PRIMARY KEY, handle TEXT NOT NULL UNIQUE, email TEXT UNIQUE, status TEXT NOT NULL,
    created_at INTEGER NOT NULL, invite TEXT, invites_disabled INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID`,
  ...Handles.tables,
  ...Invites.tables,
  ...Edge.tables
]

/** A new sign-up of the same DID has to wait less than others who want the names. */
const abandonedAfter = { sameDid: 60_000, otherDid: reservedFor }

interface AccountRow {
  readonly did: string
  readonly handle: string
  readonly email: string | null
  readonly status: DirectoryStatus
  readonly created_at: number
  readonly invite: string | null
  readonly invites_disabled: number
}

const entryOf = (row: AccountRow): DirectoryEntry => ({
  did: row.did,
  // An account without a handle stores its DID there, which is as unique as handles are.
  handle: row.handle === row.did ? invalidHandle : row.handle,
  email: row.email ?? undefined,
  status: row.status,
  createdAt: row.created_at,
  invite: row.invite ?? undefined,
  invitesDisabled: row.invites_disabled !== 0
})

const unavailable = (operation: string) => (cause: SqlError) =>
  new DirectoryUnavailable({ operation, cause })

const refused = (
  error: SqlError,
  { did, handle, email }: Reservation
): ReservationRefused | DirectoryUnavailable => {
  const column = violatedColumn(error)
  if (column === "accounts.handle") return new HandleNotAvailable({ handle })
  if (column === "accounts.email") return new EmailTaken({ email: email ?? "" })
  if (column === "accounts.did") return new AccountExists({ did })
  return unavailable("reserve")(error)
}

const make = (database: Database): Directory["Service"] => {
  const { sql, batch } = database
  const { prepared, repeatable } = queriesOver(database, tables, unavailable)
  const handles = Handles.make(database)
  const one = (operation: string, query: Effect.Effect<ReadonlyArray<AccountRow>, SqlError>) =>
    repeatable(operation, query).pipe(
      Effect.map(([row]) => (row === undefined ? undefined : entryOf(row)))
    )
  const confirmed = sql`SELECT * FROM accounts WHERE status <> 'reserved'`
  const byDid = (did: string) => one("byDid", sql<AccountRow>`${confirmed} AND did = ${did}`)
  const byHandle = (handle: string) =>
    one("byHandle", sql<AccountRow>`${confirmed} AND handle = ${handle.toLowerCase()}`)
  const holderOf = Effect.fn("Directory.holderOf")(function* (handle: string) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* repeatable("holderOf", handles.holder(handle.toLowerCase(), now))
    return row?.did
  })
  const byEmail = (email: string) =>
    one("byEmail", sql<AccountRow>`${confirmed} AND email = ${email.toLowerCase()}`)

  /**
   * Counts the invite's use and adds the account's row in one transaction; a taken name rolls both
   * back.
   */
  const insert = Effect.fnUntraced(function* (wanted: Reservation) {
    const now = yield* Clock.currentTimeMillis
    const { did } = wanted
    const handle = wanted.handle.toLowerCase()
    const invite = wanted.invite ?? null
    const may = handles.mayTake({ did, handle, override: wanted.override === true }, now)
    const [, accounts] = yield* batch([
      sql`INSERT OR IGNORE INTO invite_uses (code, used_by, used_at)
        SELECT code, ${did}, ${now} FROM invites WHERE code = ${invite} AND disabled = 0
        AND NOT EXISTS (SELECT 1 FROM accounts WHERE accounts.did = for_account
          AND status IN ('takendown', 'suspended'))
        AND NOT EXISTS (SELECT 1 FROM invite_note WHERE code = ${invite} AND expires_at <= ${now})
        AND available > (SELECT count(*) FROM invite_uses WHERE code = ${invite}) AND ${may}`,
      sql`INSERT INTO accounts (did, handle, email, status, created_at, invite)
        SELECT ${did}, ${handle}, ${wanted.email?.toLowerCase() ?? null}, 'reserved', ${now}, ${invite}
        WHERE ${may} AND (${invite} IS NULL OR EXISTS
          (SELECT 1 FROM invite_uses WHERE code = ${invite} AND used_by = ${did}))
        RETURNING did`,
      handles.take(handle, did)
    ])
    return accounts?.length === 1
  })

  /** Removes conflicting reservations of interrupted sign-ups; returns their DIDs. */
  const reclaim = Effect.fnUntraced(function* ({ did, handle, email }: Reservation) {
    const now = yield* Clock.currentTimeMillis
    const abandoned = sql`status = 'reserved' AND (
      (did = ${did} AND created_at <= ${now - abandonedAfter.sameDid}) OR
      ((handle = ${handle.toLowerCase()} OR email = ${email?.toLowerCase() ?? null})
        AND created_at <= ${now - abandonedAfter.otherDid}))`
    const [, gone] = yield* batch([
      sql`DELETE FROM invite_uses WHERE used_by IN (SELECT did FROM accounts WHERE ${abandoned})`,
      sql`DELETE FROM accounts WHERE ${abandoned} RETURNING did`
    ])
    // SAFETY: the statement returns this one column.
    return (gone as ReadonlyArray<{ readonly did: string }>).map((row) => row.did)
  })

  const reserve = Effect.fn("Directory.reserve")(function* (wanted: Reservation) {
    const { did } = wanted
    let gone: ReadonlyArray<string> = []
    const again = Effect.fnUntraced(function* (error: SqlError) {
      gone = yield* reclaim(wanted)
      if (gone.length > 0) return yield* insert(wanted)
      // Its own handle is taken as well, but only by itself: AccountExists matters.
      const here = yield* sql`SELECT 1 FROM accounts WHERE did = ${did}`
      return here.length > 0 ? yield* new AccountExists({ did }) : yield* error
    })
    const taken = yield* prepared(insert(wanted)).pipe(
      Effect.catchIf((error) => violatedColumn(error) !== undefined, again),
      Effect.catchTag("SqlError", (error) => Effect.fail(refused(error, wanted)))
    )
    if (taken) return gone
    const holder = yield* holderOf(wanted.handle)
    if (holder === undefined || holder === did) return yield* new InvalidInviteCode()
    return yield* new HandleNotAvailable({ handle: wanted.handle })
  })

  const list = Effect.fn("Directory.list")(function* (page: {
    readonly cursor?: string
    readonly limit: number
    readonly email?: string
  }) {
    const rows = yield* repeatable(
      "list",
      sql<AccountRow>`${confirmed} AND did > ${page.cursor ?? ""}
        AND (${page.email === undefined ? 1 : 0} OR instr(email, ${page.email?.toLowerCase() ?? ""}) > 0)
        ORDER BY did LIMIT ${page.limit}`
    )
    const last = rows.length < page.limit ? undefined : rows.at(-1)
    const accounts = rows.map(entryOf)
    return last === undefined ? { accounts } : { accounts, cursor: last.did }
  })

  return Directory.of({
    byDid,
    byHandle,
    byEmail,
    holderOf,
    reserve,
    release: (did) =>
      Effect.asVoid(
        repeatable(
          "release",
          batch([
            sql`DELETE FROM invite_uses WHERE used_by = ${did}
              AND code = (SELECT invite FROM accounts WHERE did = ${did})`,
            sql`DELETE FROM accounts WHERE did = ${did}`
          ])
        )
      ),
    abandon: (did) =>
      Effect.asVoid(
        repeatable(
          "abandon",
          batch([
            sql`DELETE FROM invite_uses WHERE used_by = ${did}
              AND code = (SELECT invite FROM accounts WHERE did = ${did} AND status = 'reserved')`,
            sql`DELETE FROM accounts WHERE did = ${did} AND status = 'reserved'`
          ])
        )
      ),
    reservedAt: (did) =>
      repeatable(
        "reservedAt",
        sql<Pick<AccountRow, "created_at">>`SELECT created_at FROM accounts
          WHERE did = ${did} AND status = 'reserved'`
      ).pipe(Effect.map(([row]) => row?.created_at)),
    reservedAs: ({ handle, email }) =>
      repeatable(
        "reservedAs",
        sql<Pick<AccountRow, "did">>`SELECT did FROM accounts WHERE status = 'reserved'
          AND handle = ${handle.toLowerCase()} AND email = ${email.toLowerCase()}`
      ).pipe(Effect.map(([row]) => row?.did)),
    remove: Effect.fn("Directory.remove")(function* (did) {
      yield* OperatorsD1.forget(database, did)
      yield* repeatable(
        "remove",
        batch([
          sql`DELETE FROM accounts WHERE did = ${did}`,
          handles.free(did),
          Edge.forgetEpochs(database, did)
        ])
      )
    }),
    setHandle: Effect.fn("Directory.setHandle")(function* (did, handle, { keep, override }) {
      const now = yield* Clock.currentTimeMillis
      const wanted = { did, handle: handle.toLowerCase(), keep, override: override === true, now }
      const refused = () => new HandleNotAvailable({ handle })
      const change = batch(handles.change(wanted))
      const [, , updated] = yield* Effect.mapError(prepared(change), (error) =>
        violatedColumn(error) === "accounts.handle" ? refused() : unavailable("setHandle")(error)
      )
      if (updated?.length !== 1) return yield* refused()
    }),
    dropHandle: (did) =>
      Effect.asVoid(
        repeatable("dropHandle", sql`UPDATE accounts SET handle = did WHERE did = ${did}`)
      ),
    setEmail: (did, email) =>
      prepared(
        sql`UPDATE accounts SET email = ${email?.toLowerCase() ?? null} WHERE did = ${did}`
      ).pipe(
        Effect.mapError((error) =>
          violatedColumn(error) === "accounts.email"
            ? new EmailTaken({ email: email ?? "" })
            : unavailable("setEmail")(error)
        ),
        Effect.asVoid
      ),
    setStatus: (did, status) =>
      repeatable(
        "setStatus",
        batch([
          sql`UPDATE accounts SET status = ${status} WHERE did = ${did} RETURNING did`,
          Edge.endEpoch(database, did)
        ])
      ).pipe(Effect.map(([updated]) => updated?.length === 1)),
    list,
    setInvitesDisabled: (did, disabled) =>
      Effect.asVoid(
        repeatable(
          "setInvitesDisabled",
          sql`UPDATE accounts SET invites_disabled = ${disabled ? 1 : 0} WHERE did = ${did}`
        )
      ),
    ping: Effect.asVoid(repeatable("ping", sql`SELECT did FROM accounts LIMIT 1`)),
    ...Edge.make(database, repeatable),
    ...Search.make(database, repeatable, entryOf),
    ...Invites.make(database, repeatable)
  })
}

/** Keeps the directory in the host's database. */
export const layer: Layer.Layer<Directory, never, HostDatabase> = Layer.effect(
  Directory,
  Effect.map(HostDatabase, make)
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  accounts: {
    filledBy: "a sign-up",
    bound:
      "one row an account; an invite each, or 100 accounts in 5 minutes from one address where `INVITE_REQUIRED` is `off`",
    bytes: 5 * 1024,
    per: "account"
  }
})
