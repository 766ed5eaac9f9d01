import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SqlError } from "effect/sql/SqlError"
import { type PermissionSet, readPermissionSet } from "../oauth/permissionSet.ts"
import { Accounts } from "../services/Accounts.ts"
import { Config } from "../services/Config.ts"
import { Identity } from "../services/Identity.ts"
import { Outgoing } from "../services/Outgoing.ts"
import { PermissionSetNotFound, PermissionSets } from "../services/PermissionSets.ts"
import { HostDatabase } from "./HostDatabase.ts"
import { type LexiconAbsent, type LexiconUnavailable, lookupLexicon } from "./lexiconLookup.ts"
import { type Database, withTables } from "./sqlTables.ts"

/** The permission sets that were found, as they were read; when that was, and when it was last tried. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS permission_set (
    nsid TEXT PRIMARY KEY, document TEXT NOT NULL, fetched_at INTEGER NOT NULL, tried_at INTEGER NOT NULL
  ) WITHOUT ROWID`
]

const minute = 60_000
const day = 24 * 60 * minute

/** A day old is fresh, 90 days old is usable; an authority is not asked again within a quarter of an hour. */
const limits = { fresh: day, usable: 90 * day, retry: 15 * minute }

interface Row {
  readonly document: string
  readonly fetched_at: number
}

type Lookup = (nsid: string) => Effect.Effect<unknown, LexiconAbsent | LexiconUnavailable>

const make = (database: Database, lookup: Lookup): PermissionSets["Service"] => {
  const { sql, batch } = database

  /** What is stored only saves requests: without it sets are looked up each time. */
  const stored = <A>(query: Effect.Effect<ReadonlyArray<A>, SqlError>) =>
    withTables(database, tables, query).pipe(
      Effect.catch((cause) =>
        Effect.as(
          Effect.logWarning("stored permission sets cannot be had", cause),
          [] as ReadonlyArray<A>
        )
      )
    )

  const keep = (set: PermissionSet, now: number) =>
    stored(
      batch([
        sql`INSERT INTO permission_set (nsid, document, fetched_at, tried_at)
          VALUES (${set.nsid}, ${JSON.stringify(set)}, ${now}, ${now})
          ON CONFLICT (nsid) DO UPDATE SET document = excluded.document,
            fetched_at = excluded.fetched_at, tried_at = excluded.tried_at`,
        sql`DELETE FROM permission_set WHERE fetched_at <= ${now - limits.usable}`
      ])
    )

  const forget = (nsid: string) =>
    stored(sql<object>`DELETE FROM permission_set WHERE nsid = ${nsid}`)

  /** Of several requests at once, one asks. */
  const mayAsk = (nsid: string, now: number) =>
    stored(
      sql<object>`UPDATE permission_set SET tried_at = ${now}
        WHERE nsid = ${nsid} AND tried_at <= ${now - limits.retry} RETURNING nsid`
    ).pipe(Effect.map((rows) => rows.length > 0))

  /** Looks a set up; what is proven to be gone, or to be something else, is forgotten. */
  const find = Effect.fnUntraced(function* (nsid: string, now: number) {
    const found = yield* Effect.catchTag(lookup(nsid), "LexiconAbsent", () => Effect.void)
    const set = readPermissionSet(nsid, found)
    if (set !== undefined) return yield* Effect.as(keep(set, now), set)
    yield* forget(nsid)
    const reason =
      found === undefined ? "there is no such lexicon" : "the lexicon is not a permission set"
    return yield* new PermissionSetNotFound({ nsid, reason })
  })

  const get = Effect.fn("PermissionSets.get")(function* (nsid: string) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* stored(
      sql<Row>`SELECT document, fetched_at FROM permission_set WHERE nsid = ${nsid}`
    )
    const age = row === undefined ? Infinity : now - row.fetched_at
    // SAFETY: `keep` wrote this text, from a value of this type.
    const known = row === undefined ? undefined : (JSON.parse(row.document) as PermissionSet)
    const usable = age < limits.usable ? known : undefined
    if (usable !== undefined && (age < limits.fresh || !(yield* mayAsk(nsid, now)))) return usable
    return yield* Effect.catchTag(find(nsid, now), "LexiconUnavailable", ({ reason, cause }) =>
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

/** Permission sets from the network, kept in the host's database. */
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
