import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import {
  AccountList,
  AccountManifest,
  BlobList,
  type Fault,
  Mark,
  RunManifest,
  type Stored
} from "../../core/backups/manifests.ts"
import { accountKey, markKey, resealedKey, runKey } from "../../core/backups/places.ts"
import { decodeTables, encodeTables, type Tables } from "../../core/backups/rows.ts"
import { Config } from "../host/Config.ts"
import { Keys } from "../identity/Keys.ts"
import { fingerprintOf } from "../identity/keys/olderKeys.ts"
import { rewrapReserved } from "../identity/keys/rewrapReserved.ts"
import { rewrapRows } from "../identity/keys/rewrapRows.ts"
import { BackupDamaged, backupTarget } from "./BackupTarget.ts"
import type { Budget } from "./Budget.ts"
import {
  findManifest,
  getManifest,
  getSealed,
  putManifest,
  putSealed,
  readManifest
} from "./objects.ts"
import { rowsAt, versionsOf } from "./restoreAccount.ts"
import { runsInStore } from "./tidyBackups.ts"

const newKeyOf = Effect.map(Config, ({ masterKey }) => {
  const mark = fingerprintOf(masterKey)
  return (key: string) => resealedKey(key, mark)
})

/** Deletes the objects that new ones replaced. */
const deleteReplaced = Effect.fnUntraced(function* (
  before: ReadonlyArray<Stored>,
  after: ReadonlyArray<Stored>
) {
  const kept = new Set(after.map(({ key }) => key))
  yield* (yield* backupTarget).delete(before.map(({ key }) => key).filter((key) => !kept.has(key)))
})

/** An account's rows of both places, with its object's under the current master key. */
const rewrapped = Effect.fnUntraced(function* (did: string, tables: Tables) {
  const now = yield* Clock.currentTimeMillis
  const { tables: changed } = yield* rewrapRows(did, rowsAt("account", tables), now)
  const named = Object.entries(changed ?? {}).map(
    ([table, rows]): readonly [string, Tables[string]] => [`account/${table}`, rows]
  )
  return { ...tables, ...Object.fromEntries(named) } satisfies Tables
})

/** Puts a version under the current master key; false if it already is. */
const resealVersion = Effect.fnUntraced(function* (did: string, version: string, budget: Budget) {
  const key = accountKey(did, version)
  budget.spend(1)
  const { value: manifest, isCurrent } = yield* readManifest(key, AccountManifest)
  if (isCurrent) return false
  const newKey = yield* newKeyOf
  const { private: secret, blobs } = manifest
  budget.spend(5 + 2 * blobs.lists.length)
  const tables = yield* rewrapped(did, decodeTables(yield* getSealed(secret)))
  const sealed = yield* putSealed(newKey(secret.key), encodeTables(tables))
  const lists: Array<Stored> = []
  for (const list of blobs.lists) {
    lists.push(yield* putManifest(newKey(list.key), yield* getManifest(list.key, BlobList)))
  }
  yield* putManifest(key, { ...manifest, private: sealed, blobs: { ...blobs, lists } })
  yield* deleteReplaced([secret, ...blobs.lists], [sealed, ...lists])
  return true
})

/** The host's rows with the reserved keys under the current master key. */
const rewrappedHost = Effect.fnUntraced(function* ({ reserved_key: rows, ...tables }: Tables) {
  if (rows === undefined) return tables
  const keys = yield* Keys
  const changed = yield* Effect.forEach(rows, (row) => {
    const { did_key: didKey, wrapped } = row
    const text = { ...row, did_key: String(didKey), wrapped: String(wrapped) }
    return Effect.map(rewrapReserved(keys, text), (now) => (typeof now === "object" ? now : row))
  })
  return { ...tables, reserved_key: changed }
})

/** Puts a run under the current master key; false if it already is. */
const resealRun = Effect.fnUntraced(function* (run: string, budget: Budget) {
  const key = runKey(run)
  budget.spend(1)
  const { value: manifest, isCurrent } = yield* readManifest(key, RunManifest)
  if (isCurrent) return false
  const newKey = yield* newKeyOf
  budget.spend(2 + 2 * (manifest.host.length + manifest.pages.length))
  const host: Array<Stored> = []
  for (const page of manifest.host) {
    const tables = yield* rewrappedHost(decodeTables(yield* getSealed(page)))
    host.push(yield* putSealed(newKey(page.key), encodeTables(tables)))
  }
  const pages: Array<Stored> = []
  for (const page of manifest.pages) {
    pages.push(yield* putManifest(newKey(page.key), yield* getManifest(page.key, AccountList)))
  }
  yield* putManifest(key, { ...manifest, host, pages })
  yield* deleteReplaced([...manifest.host, ...manifest.pages], [...host, ...pages])
  return true
})

/** The result of resealing a part of the store. */
export interface Resealed {
  readonly changed: number
  readonly faults: ReadonlyArray<Fault>
}

/** Notes damage instead of failing: what can't be read now can't be read later either. */
const noting = <E, R>(
  faults: Array<Fault>,
  did: string | undefined,
  one: Effect.Effect<boolean, E | BackupDamaged, R>
) =>
  Effect.catchIf(
    one,
    (failure): failure is Extract<typeof failure, BackupDamaged> =>
      failure instanceof BackupDamaged,
    ({ key, problem }) => {
      faults.push({ key, problem, ...(did === undefined ? {} : { did }) })
      return Effect.succeed(false)
    }
  )

/** Puts every backup of an account under the current master key. */
export const resealAccount = Effect.fn("resealAccount")(function* (did: string, budget: Budget) {
  const faults: Array<Fault> = []
  let changed = 0
  for (const version of yield* versionsOf(did)) {
    if (yield* noting(faults, did, resealVersion(did, version, budget))) changed += 1
  }
  return { changed, faults } satisfies Resealed
})

/** Puts the store's mark and its runs after one under the current master key. */
export const resealRuns = Effect.fn("resealRuns")(function* (budget: Budget) {
  const mark = yield* findManifest(markKey, Mark)
  if (mark !== undefined) yield* putManifest(markKey, mark)
  const faults: Array<Fault> = []
  let changed = 0
  for (const run of (yield* runsInStore).whole) {
    if (yield* noting(faults, undefined, resealRun(run, budget))) changed += 1
  }
  return { changed, faults } satisfies Resealed
})
