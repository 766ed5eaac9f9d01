import * as Effect from "effect/Effect"
import { AccountManifest, BlobList, RunManifest } from "../../core/backups/manifests.ts"
import {
  accountKey,
  accountPrefix,
  blobKey,
  runKey,
  runPrefix,
  runTime
} from "../../core/backups/places.ts"
import { runsToKeep, versionsToKeep } from "../../core/backups/retention.ts"
import { Config } from "../host/Config.ts"
import { deleteBelow } from "./backUpAccount.ts"
import { BackupDamaged, backupTarget } from "./BackupTarget.ts"
import { damageCounter, getManifest, listAll } from "./objects.ts"

/** Keys deleted in one call. */
const deleteAtOnce = 1000

/** All runs in the store, and the complete ones. */
export const runsInStore = Effect.gen(function* () {
  const keys = [...(yield* listAll("runs/")).keys()]
  const all = new Set(keys.map((key) => key.split("/")[1] ?? ""))
  const runs = [...all].filter((run) => runTime(run) !== undefined).toSorted()
  return { all: runs, whole: runs.filter((run) => keys.includes(runKey(run))) }
})

/**
 * The newest complete run with accounts and a sound manifest, or the newest of all if none has any; with the damaged
 * manifests that were passed over.
 *
 * Fails if the store has accounts, but no such run lists any.
 */
export const newestFilledRun = Effect.gen(function* () {
  const { whole } = yield* runsInStore
  const { state, noting } = damageCounter()
  let newest: string | undefined
  for (const run of whole.toReversed()) {
    const manifest = yield* noting(getManifest(runKey(run), RunManifest))
    if (manifest === undefined) continue
    newest ??= run
    const { accounts } = manifest
    if (accounts > 0) return { run, accounts, faults: state.faults }
  }
  const [damaged] = state.faults
  if (damaged?.key !== undefined) {
    return yield* new BackupDamaged({ key: damaged.key, problem: damaged.problem })
  }
  const { objects } = yield* (yield* backupTarget).list("accounts/")
  if (objects.length > 0) {
    const problem =
      "contains no complete backup, but the store has accounts. Restore each account by its DID, or start with an empty store"
    return yield* new BackupDamaged({ key: "runs/", problem })
  }
  return newest === undefined ? undefined : { run: newest, accounts: 0, faults: [] }
})

/** The complete runs that the retention keeps. */
const keptRuns = Effect.gen(function* () {
  const { backupKeep } = yield* Config
  const { whole, all } = yield* runsInStore
  return { all, kept: runsToKeep(whole, backupKeep) }
})

/** Deletes runs beyond the retention, and incomplete ones. */
export const tidyRuns = Effect.gen(function* () {
  const { all, kept } = yield* keptRuns
  for (const run of all) if (!kept.has(run)) yield* deleteBelow(runPrefix(run))
})

/** The keys that a version of an account needs. */
const keysOf = Effect.fnUntraced(function* (did: string, version: string) {
  const key = accountKey(did, version)
  const manifest = yield* getManifest(key, AccountManifest)
  const keys = [key, manifest.car.key, manifest.private.key]
  for (const list of manifest.blobs.lists) {
    keys.push(list.key)
    for (const { cid } of yield* getManifest(list.key, BlobList)) keys.push(blobKey(did, cid))
  }
  return keys
})

/**
 * Deletes the objects that no kept version of an account needs; returns the number of kept versions.
 *
 * Deletes nothing if a kept version is unreadable, because its objects are then unknown.
 */
export const tidyAccount = Effect.fn("tidyAccount")(function* (did: string, newest: string) {
  const { kept: runs } = yield* keptRuns
  const there = [...(yield* listAll(accountPrefix(did))).keys()]
  const versions = there.flatMap((key) => {
    const [, , version = "", name] = key.split("/")
    return name === "account.json" && runTime(version) !== undefined ? [version] : []
  })
  const kept = new Set([...versionsToKeep(versions, runs), newest])
  const needed = new Set<string>()
  for (const version of kept) for (const key of yield* keysOf(did, version)) needed.add(key)
  const surplus = there.filter((key) => !needed.has(key))
  const target = yield* backupTarget
  for (let at = 0; at < surplus.length; at += deleteAtOnce) {
    yield* target.delete(surplus.slice(at, at + deleteAtOnce))
  }
  return kept.size
})
