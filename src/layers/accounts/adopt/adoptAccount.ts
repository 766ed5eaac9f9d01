import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { formatDidKey, publicKeyOf } from "../../../core/identity/didKey.ts"
import { invalidHandle } from "../../../core/identity/handle.ts"
import { type Account, AccountStore } from "../../../services/accounts/AccountStore.ts"
import type { BlobStore } from "../../../services/blobs/BlobStore.ts"
import type { MasterKeys } from "../../../services/host/derivedSecrets.ts"
import { SqlStorage } from "../../../services/host/SqlStorage.ts"
import { Keys, type PrivateKey } from "../../../services/identity/Keys.ts"
import { nothingSpent } from "../../../services/repo/write/points.ts"
import { adoptedHash } from "../../../services/sessions/Passwords.ts"
import * as AccountHistorySqlite from "../AccountHistorySqlite.ts"
import * as AccountStoreSqlite from "../AccountStoreSqlite.ts"
import { accountTables } from "../../host/sql/accountTables.ts"
import { writeHead } from "../../repo/RepoHeadSqlite.ts"
import { adoptBlobs, type AdoptedBlobs } from "./adoptBlobs.ts"
import { type AdoptedRepo, adoptRepo, Unadoptable } from "./adoptRepo.ts"
import { adoptSignIns, type AdoptedSignIns } from "./adoptSignIns.ts"
import type { SourceAccount } from "./sourceAccounts.ts"
import { type SourceDatabase, textOf } from "./sourceDatabase.ts"
import { actorPlacesOf, type SourcePlaces } from "./sourcePlaces.ts"

/** Where an account is copied to, and the secrets of its new server. */
export interface AdoptionTarget {
  readonly sql: SqlStorage["Service"]
  /** The host's database. */
  readonly directory: SqlStorage["Service"]
  readonly store: BlobStore["Service"]
  readonly keys: MasterKeys
  /** The secret of the old server's tokens. */
  readonly jwtSecret: string | undefined
  /** The id of the account's event in the log. */
  readonly event: number
}

/** What was found in an account, and what of it has no place here. */
export interface AdoptedAccount {
  readonly account: Account
  readonly repo: AdoptedRepo
  readonly blobs: AdoptedBlobs
  readonly signIns: AdoptedSignIns
  readonly preferences: number
  readonly letGo: ReadonlyArray<string>
}

const keyOf = (file: string): PrivateKey => {
  const secret = new Uint8Array(readFileSync(file))
  if (secret.length !== 32) throw new Unadoptable("its signing key is damaged")
  const didKey = formatDidKey(publicKeyOf("k256", secret))
  return { curve: "k256", didKey, secret: Redacted.make(secret, { label: "private key" }) }
}

/** Fails with a sentence for what the synchronous readers throw. */
const attempt = <A>(read: () => A) =>
  Effect.try({
    try: read,
    catch: (cause) =>
      cause instanceof Unadoptable
        ? cause
        : new Unadoptable(cause instanceof Error ? cause.message : String(cause))
  })

/** The preferences of the network's apps, and how many others there are. */
const preferencesOf = (store: SourceDatabase) => {
  const rows = [...store.rows("SELECT name, valueJson FROM account_pref ORDER BY id")]
  const isOurs = (name: string) => name === "app.bsky" || name.startsWith("app.bsky.")
  const ours = rows.filter(({ name }) => isOurs(String(name)))
  return {
    values: ours.map((row): unknown => JSON.parse(String(row["valueJson"]))),
    others: rows.length - ours.length
  }
}

const accountOf = (
  source: SourceAccount,
  key: PrivateKey,
  wrapped: Uint8Array,
  now: number
): Account => {
  const due = source.deleteAfter === undefined ? undefined : Date.parse(source.deleteAfter)
  return {
    did: source.did,
    handle: source.handle ?? invalidHandle,
    email: source.email,
    emailConfirmedAt: source.emailConfirmedAt,
    emailFactorAt: undefined,
    password: source.password === undefined ? undefined : adoptedHash(source.password),
    signingKey: { curve: key.curve, wrapped, didKey: key.didKey },
    deactivatedAt: source.deactivatedAt,
    // The reference PDS keeps the date without deleting, so a past one must not delete here.
    deleteAfter: due !== undefined && due > now ? source.deleteAfter : undefined,
    takedown: source.takedown === undefined ? undefined : "takendown",
    createdAt: new Date(source.createdAt).toISOString()
  }
}

const without = (
  source: SourceAccount,
  account: Account,
  others: number,
  temporary: number
): ReadonlyArray<string> => [
  ...(source.password !== undefined && account.password === undefined
    ? ["its password has an unknown form: reset it by email"]
    : []),
  ...(source.deleteAfter !== undefined && account.deleteAfter === undefined
    ? [`its deletion date ${source.deleteAfter} has passed, so it stays deactivated`]
    : []),
  ...(others > 0 ? [`${others} preferences outside of app.bsky`] : []),
  ...(temporary > 0 ? [`${temporary} uploads that no record refers to yet`] : [])
]

const putAccount = Effect.fnUntraced(function* (sql: SqlStorage["Service"], account: Account) {
  const { did } = account
  yield* Effect.flatMap(AccountStore, (accounts) => accounts.create(account)).pipe(
    Effect.provide(
      AccountStoreSqlite.layer({ did, tables: accountTables, wipe: Effect.void }).pipe(
        Layer.provide(AccountHistorySqlite.layer)
      )
    ),
    Effect.provideService(SqlStorage, SqlStorage.of(sql))
  )
  // Its sign-up was announced by the old server.
  sql.exec("INSERT INTO announced (one) VALUES (1)")
})

const putRows = (
  { sql, event }: AdoptionTarget,
  { head, takedowns }: AdoptedRepo,
  source: SourceAccount,
  preferences: ReadonlyArray<unknown>
): void => {
  writeHead(sql, head, nothingSpent, event)
  const put = "INSERT INTO takedown (path, ref) VALUES (?, ?)"
  for (const [path, ref] of takedowns) sql.exec(put, path, ref)
  if (source.takedown !== undefined) sql.exec(put, "", source.takedown)
  const kept = "INSERT INTO preferences (namespace, value) VALUES ('app.bsky', ?)"
  if (preferences.length > 0) sql.exec(kept, JSON.stringify(preferences))
}

/** Verifies one account, and copies it if there is a target; fails with Unadoptable. */
export const adoptAccount = Effect.fnUntraced(function* (
  source: SourceAccount,
  { accounts, store }: { readonly accounts: SourceDatabase; readonly store: SourceDatabase },
  places: SourcePlaces,
  target: AdoptionTarget | undefined,
  now: number
) {
  const { did } = source
  const key = yield* attempt(() => keyOf(actorPlacesOf(places, did).key))
  const wrapped =
    target === undefined
      ? new Uint8Array()
      : yield* Effect.flatMap(Keys, (keys) => keys.wrap(did, key))
  const account = accountOf(source, key, wrapped, now)
  if (target !== undefined) yield* putAccount(target.sql, account)
  const repo = yield* attempt(() => adoptRepo(store, { did, didKey: key.didKey }, target?.sql))
  const preferences = yield* attempt(() => preferencesOf(store))
  if (target !== undefined) putRows(target, repo, source, preferences.values)
  const of = { did, rev: repo.head.rev, referred: repo.blobs }
  const blobs = yield* adoptBlobs(store, of, places, target, now).pipe(
    Effect.mapError(({ message }) => new Unadoptable(`its blobs can't be copied: ${message}`))
  )
  const signIns = yield* adoptSignIns(accounts, did, target, now)
  const [temporary] = store.rows("SELECT count(*) AS n FROM blob WHERE tempKey IS NOT NULL")
  const letGo = without(source, account, preferences.others, Number(textOf(temporary ?? {}, "n")))
  return {
    account,
    repo,
    blobs,
    signIns,
    preferences: preferences.values.length,
    letGo
  } satisfies AdoptedAccount
})
