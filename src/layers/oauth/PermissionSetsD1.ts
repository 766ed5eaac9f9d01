import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SqlError } from "effect/sql/SqlError"
import {
  isKeepable,
  maxSetBytes,
  type PermissionSet,
  readPermissionSet
} from "../../core/oauth/permissionSet.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { Identity } from "../../services/identity/Identity.ts"
import { Outgoing } from "../../services/host/Outgoing.ts"
import { PermissionSetNotFound, PermissionSets } from "../../services/oauth/PermissionSets.ts"
import { HostDatabase } from "../host/sql/HostDatabase.ts"
import { type LexiconAbsent, type LexiconUnavailable, lookupLexicon } from "./lexiconLookup.ts"
import { type Database, withTables } from "../host/sql/sqlTables.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { spanned } from "../../services/operators/spanned.ts"

/** The last version's table, with sets of any size without anyone's consent. */
const earlier = `CREATE TABLE IF NOT EXISTS permission_set (
  nsid TEXT PRIMARY KEY, document TEXT NOT NULL, fetched_at INTEGER NOT NULL, tried_at INTEGER NOT NULL
) WITHOUT ROWID`

/**
 * The permission sets that were found, with the time of the last success and attempt, and whether
 * anyone agreed to them. The document is the last column, so counting rows reads none of its pages.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS included_set (
    nsid TEXT PRIMARY KEY, agreed INTEGER NOT NULL, fetched_at INTEGER NOT NULL, tried_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL, document TEXT NOT NULL
  ) WITHOUT ROWID`,
  earlier,
  `INSERT OR IGNORE INTO included_set (nsid, agreed, fetched_at, tried_at, bytes, document)
    SELECT nsid, 1, fetched_at, tried_at, length(CAST(document AS BLOB)), document FROM permission_set
    WHERE length(CAST(document AS BLOB)) <= ${maxSetBytes} ORDER BY fetched_at DESC LIMIT 200`,
  `DROP TABLE permission_set`
]

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/**
 * A set is fresh for a day and usable for 90 days; an authority is asked at most every quarter of
 * an hour.
 */
const limits = { fresh: day, usable: 90 * day, retry: 15 * minute }

/** How long a set is kept without consent: as long as its request may wait. */
const unagreed = hour

/** The table's limits; at the limit, sets without consent are dropped first, then the oldest. */
export const budget = { rows: 1000, bytes: 8 * 1024 * 1024 }

interface Row {
  readonly agreed: number
  readonly fetched_at: number
  readonly document: string
}

type Lookup = (nsid: string) => Effect.Effect<unknown, LexiconAbsent | LexiconUnavailable>

const make = (database: Database, lookup: Lookup): PermissionSets["Service"] => {
  const { sql, batch } = database

  /** The table only saves requests: if it fails, sets are looked up each time. */
  const stored = <A>(query: Effect.Effect<ReadonlyArray<A>, SqlError>) =>
    withTables(database, tables, query).pipe(
      Effect.catch((cause) =>
        Effect.as(
          Effect.logWarning("stored permission sets cannot be had", cause),
          [] as ReadonlyArray<A>
        )
      )
    )

  const keep = (set: PermissionSet, agreed: boolean, now: number) => {
    const document = JSON.stringify(set)
    const bytes = new TextEncoder().encode(document).byteLength
    return stored(
      batch([
        sql`INSERT INTO included_set (nsid, agreed, fetched_at, tried_at, bytes, document)
          VALUES (${set.nsid}, ${agreed ? 1 : 0}, ${now}, ${now}, ${bytes}, ${document})
          ON CONFLICT (nsid) DO UPDATE SET agreed = max(agreed, excluded.agreed),
            fetched_at = excluded.fetched_at, tried_at = excluded.tried_at,
            bytes = excluded.bytes, document = excluded.document`,
        sql`DELETE FROM included_set WHERE fetched_at <= ${now - limits.usable}
          OR (agreed = 0 AND fetched_at <= ${now - unagreed})`,
        sql`DELETE FROM included_set WHERE nsid IN (SELECT nsid FROM (
            SELECT nsid, row_number() OVER last AS place, sum(bytes) OVER last AS total FROM included_set
            WINDOW last AS (ORDER BY agreed DESC, fetched_at DESC, nsid ROWS UNBOUNDED PRECEDING)
          ) WHERE place > ${budget.rows} OR total > ${budget.bytes})`
      ])
    )
  }

  const forget = (nsid: string) =>
    stored(sql<object>`DELETE FROM included_set WHERE nsid = ${nsid}`)

  const agree = (nsid: string) =>
    stored(sql<object>`UPDATE included_set SET agreed = 1 WHERE nsid = ${nsid} AND agreed = 0`)

  /** Lets one of several concurrent requests look up. */
  const mayAsk = (nsid: string, now: number) =>
    stored(
      sql<object>`UPDATE included_set SET tried_at = ${now}
        WHERE nsid = ${nsid} AND tried_at <= ${now - limits.retry} RETURNING nsid`
    ).pipe(Effect.map((rows) => rows.length > 0))

  /** Looks a set up; forgets one that is provably gone, too large or something else. */
  const find = Effect.fnUntraced(function* (nsid: string, agreed: boolean, now: number) {
    const found = yield* Effect.catchTag(lookup(nsid), "LexiconAbsent", () => Effect.void)
    const set = readPermissionSet(nsid, found)
    if (set !== undefined && isKeepable(set)) return yield* Effect.as(keep(set, agreed, now), set)
    yield* forget(nsid)
    const reason =
      found === undefined
        ? "there is no such lexicon"
        : set === undefined
          ? "the lexicon is not a permission set"
          : `the permission set comes to more than ${maxSetBytes} bytes`
    return yield* new PermissionSetNotFound({ nsid, reason })
  })

  const get = spanned("PermissionSets.get")(function* (
    nsid: string,
    { agreed = false }: { readonly agreed?: boolean } = {}
  ) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* stored(
      sql<Row>`SELECT agreed, fetched_at, document FROM included_set WHERE nsid = ${nsid}`
    )
    if (agreed && row?.agreed === 0) yield* agree(nsid)
    const age = row === undefined ? Infinity : now - row.fetched_at
    // SAFETY: `keep` wrote this text, from a value of this type.
    const known = row === undefined ? undefined : (JSON.parse(row.document) as PermissionSet)
    const isAgreed = agreed || row?.agreed === 1
    const usable = age < (isAgreed ? limits.usable : unagreed) ? known : undefined
    if (usable !== undefined && (age < limits.fresh || !(yield* mayAsk(nsid, now)))) return usable
    return yield* Effect.catchTag(
      find(nsid, isAgreed, now),
      "LexiconUnavailable",
      ({ reason, cause }) =>
        Effect.andThen(
          Effect.logWarning("a permission set cannot be looked up", { nsid, reason, cause }),
          usable === undefined
            ? Effect.fail(new PermissionSetNotFound({ nsid, reason }))
            : Effect.succeed(usable)
        )
    )
  })

  return PermissionSets.of({ get })
}

/** Permission sets from the network, cached in the host's database. */
export const layer: Layer.Layer<
  PermissionSets,
  never,
  HostDatabase | Outgoing | Identity | Accounts | Config
> = Layer.effect(
  PermissionSets,
  Effect.gen(function* () {
    const { devAllowHosts: allowHosts, dohUrl, publicUrl } = yield* Config
    const outgoing = yield* Outgoing
    const identity = yield* Identity
    const accounts = yield* Accounts
    const options = { outgoing, identity, accounts, dohUrl, publicUrl, allowHosts }
    return make(yield* HostDatabase, lookupLexicon(options))
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  included_set: {
    filledBy: "anybody",
    bound:
      "1,000 sets of 16 KiB, 8 MiB together; those that nobody has agreed to go first; an hour each until then",
    bytes: 8 * 1024 * 1024 + 1000 * 1024,
    per: "host"
  }
})
