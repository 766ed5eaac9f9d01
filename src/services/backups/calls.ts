import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { BlobEntry } from "../../core/backups/manifests.ts"
import type { Tables } from "../../core/backups/rows.ts"
import { noter } from "../accounts/AccountHistory.ts"
import { AccountStore } from "../accounts/AccountStore.ts"
import { BlobIndex } from "../blobs/BlobIndex.ts"
import { armSweep } from "../blobs/BlobSweep.ts"
import { importStaged } from "../repo/calls.ts"
import { rewrapKeys } from "../identity/keys/calls.ts"
import { Repo } from "../repo/Repo.ts"
import { RepoRepair } from "../repo/RepoRepair.ts"
import { AccountEvents } from "../stream/AccountEvents.ts"
import { AccountRows } from "./AccountRows.ts"
import { pointCalls } from "./pointInTime/calls.ts"

/** Creates the account from a backup's rows, with an empty repo, unless it exists; returns its number of records. */
const restoreBegin = Effect.fnUntraced(function* ({ tables }: { readonly tables: Tables }) {
  const accounts = yield* AccountStore
  const repo = yield* Repo
  const head = yield* Effect.catchTag(repo.head, "RepoNotFound", () => Effect.undefined)
  if (head !== undefined) return { records: head.records }
  // An earlier attempt ended before it created the repo.
  if (accounts.peek() !== undefined) yield* accounts.destroy
  yield* (yield* AccountRows).create(tables)
  // The backup may be from before a rotation of the master key.
  yield* rewrapKeys()
  // The account's sign-up was announced long ago.
  yield* (yield* AccountEvents).noSignUp
  yield* repo.create
  return { records: 0 }
})

/** Reserves a key in the blob store for a restore, and returns it. */
const restoreKey = Effect.fnUntraced(function* () {
  const { did } = yield* (yield* AccountStore).get
  const key = `${did}/${randomUUID()}`
  ;(yield* BlobIndex).noteUpload(key, yield* Clock.currentTimeMillis)
  yield* armSweep
  return { key }
})

/** Adds a blob, stored under a reserved key, to the index. */
const restoreBlob = Effect.fnUntraced(function* (blob: BlobEntry & { readonly key: string }) {
  const now = yield* Clock.currentTimeMillis
  const recorded = (yield* BlobIndex).record({ ...blob, now })
  if ("_tag" in recorded) return yield* recorded
})

/** Ends a restore: takes down again what moderators took down, and announces the account. */
const restoreEnd = Effect.fnUntraced(function* ({
  tables,
  isReplaced,
  madeAt
}: {
  readonly tables: Tables
  /** The time of the backup, in ISO form. */
  readonly madeAt: string
  /** The account existed: only its records, blobs and preferences come from the backup. */
  readonly isReplaced: boolean
}) {
  const rows = yield* AccountRows
  if (isReplaced) {
    const note = yield* noter
    note({ kind: "data-restored", after: madeAt, by: "operator" })
    return rows.putPreferences(tables)
  }
  rows.putBlobTakedowns(tables)
  const events = yield* AccountEvents
  yield* events.identity
  yield* events.account
  yield* events.sync
})

/** The calls of an account's object for backups and restores. */
export const backupCalls = {
  ...pointCalls,
  backupState: () => Effect.flatMap(AccountRows, (rows) => rows.state),
  backupRows: () => Effect.map(AccountRows, (rows) => rows.rows()),
  backupBlobs: (page: { readonly cursor?: string; readonly limit: number }) =>
    Effect.flatMap(AccountStore, ({ get }) =>
      Effect.flatMap(get, () => Effect.map(AccountRows, (rows) => rows.blobs(page)))
    ),
  checkState: () => Effect.flatMap(AccountRows, (rows) => rows.checkState),
  examineRepo: () => Effect.flatMap(RepoRepair, (repair) => repair.examine),
  repairRepo: (options: { readonly drop: boolean }) =>
    Effect.flatMap(RepoRepair, (repair) => repair.repair(options)),
  restoreBegin,
  restoreKey,
  restoreBlob,
  /** Imports a backup's repo; the manifest's key must have signed its commit. */
  restoreRepo: ({ key, signingKey }: { readonly key: string; readonly signingKey: string }) =>
    importStaged(key, { signingKey }),
  restoreEnd
}
