import * as Effect from "effect/Effect"
import {
  AccountManifest,
  type BlobEntry,
  BlobList,
  type Fault,
  type Stored
} from "../../core/backups/manifests.ts"
import { accountKey, accountPrefix, blobKey, runTime } from "../../core/backups/places.ts"
import { decodeTables, type Tables } from "../../core/backups/rows.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { Directory, HandleNotAvailable } from "../accounts/Directory.ts"
import type { Page } from "../blobs/BlobIndex.ts"
import { BlobStore } from "../blobs/BlobStore.ts"
import type { KeptBlob } from "./AccountRows.ts"
import { BackupLedger } from "./BackupLedger.ts"
import { BackupDamaged, backupTarget, BackupTargetFailed } from "./BackupTarget.ts"
import type { Budget } from "./Budget.ts"
import { HostRows } from "./HostRows.ts"
import { assertSame, getManifest, getSealed, listAll, readObject } from "./objects.ts"

/** The backups of an account, oldest first. */
export const versionsOf = Effect.fn("versionsOf")(function* (did: string) {
  const keys = [...(yield* listAll(accountPrefix(did))).keys()]
  return keys
    .flatMap((key) => {
      const [, , version = "", name] = key.split("/")
      return name === "account.json" && runTime(version) !== undefined ? [version] : []
    })
    .toSorted()
})

/** Copies an object of the backup into the blob store, under a key that the account's object reserved. */
export const copyIn = Effect.fnUntraced(function* (
  did: string,
  { key: source, size, digest }: Stored
) {
  const accounts = yield* Accounts
  const object = yield* (yield* backupTarget).get(source)
  if (object === undefined) return yield* new BackupDamaged({ key: source, problem: "is missing" })
  const { key } = yield* accounts.call(did, "restoreKey")
  const damaged = new BackupDamaged({ key: source, problem: "is not what was written" })
  // Tells a connection that broke from an object that is too short.
  const incomplete = Effect.gen(function* () {
    yield* assertSame({ key: source, size, digest }, yield* readObject(source))
    const cause = "its bytes broke off"
    return yield* new BackupTargetFailed({ operation: "read", key: source, cause })
  })
  // The sweep deletes rejected bytes, because their key is reserved.
  const stored = yield* (yield* BlobStore)
    .put(key, object.body, { length: size, limit: size })
    .pipe(
      Effect.catchTags({
        BlobTooLarge: () => damaged,
        BlobEmpty: () => damaged,
        BlobIncomplete: () => incomplete
      })
    )
  if (stored.cid !== digest) return yield* damaged
  return key
})

/** The CIDs of an account's stored blobs. */
export const blobsHere = Effect.fnUntraced(function* (did: string) {
  const accounts = yield* Accounts
  const here = new Set<string>()
  let cursor: string | undefined
  do {
    const page: Page<KeptBlob> = yield* accounts.call(did, "backupBlobs", {
      limit: 1000,
      ...(cursor === undefined ? {} : { cursor })
    })
    for (const { cid } of page.items) here.add(cid)
    cursor = page.cursor
  } while (cursor !== undefined)
  return here
})

/** Copies missing blobs; records a damaged one as a fault and continues. */
const restoreBlobs = Effect.fnUntraced(function* ({ did, blobs }: AccountManifest, budget: Budget) {
  const accounts = yield* Accounts
  const here = yield* blobsHere(did)
  const faults: Array<Fault> = []
  let copied = 0
  const restore = Effect.fnUntraced(function* ({ cid, size, mimeType }: BlobEntry) {
    const key = yield* copyIn(did, { key: blobKey(did, cid), size, digest: cid })
    yield* accounts.call(did, "restoreBlob", { cid, key, size, mimeType })
    copied += 1
  })
  for (const list of blobs.lists) {
    for (const blob of yield* getManifest(list.key, BlobList)) {
      if (here.has(blob.cid)) continue
      // Each call copies at least one, or a slow store would never get to the end.
      if (copied + faults.length > 0 && (yield* budget.isSpent)) {
        return { isWhole: false, copied, faults }
      }
      budget.spend(4)
      yield* restore(blob).pipe(
        Effect.catchTags({
          BackupDamaged: ({ key, problem }) =>
            Effect.sync(() => void faults.push({ did, key, problem })),
          // A moderator took it down on this server.
          BlobTakendown: () => Effect.void
        })
      )
    }
  }
  return { isWhole: true, copied, faults }
})

/** An account's private rows from one of their two places. */
export const rowsAt = (place: "account" | "directory", tables: Tables): Tables =>
  Object.fromEntries(
    Object.entries(tables).flatMap(([name, rows]) => {
      const [at, table = ""] = name.split("/")
      return at === place ? [[table, rows]] : []
    })
  )

/** The directory's rows come last: they make the account visible. */
const restoreDirectory = Effect.fnUntraced(function* (did: string, listed: Tables) {
  yield* (yield* HostRows).restore(listed)
  if ((yield* (yield* Directory).byDid(did)) !== undefined) return
  const handle = String(listed["accounts"]?.[0]?.["handle"] ?? did)
  return yield* new HandleNotAvailable({ handle })
})

/** The result of a restore: the account exists and is unchanged, there is more to do, or the restore is complete. */
export interface Restored {
  readonly did: string
  readonly kind: "exists" | "more" | "created" | "replaced"
  readonly version: string
  /** The time of the backup, in ISO form; later changes are lost. */
  readonly madeAt: string
  readonly rev: string
  readonly records: number
  /** Blobs copied by this call. */
  readonly blobs: number
  readonly faults: ReadonlyArray<Fault>
}

/**
 * Restores an account from one of its backups; call it again while it returns `more`.
 *
 * Creates a missing account with everything in the backup. An existing account stays unchanged unless `replace` is set:
 * then it gets the backup's records, blobs and preferences, and keeps its handle, password and other sign-in methods.
 * A restored repo gets a new commit with a rev above both, and `#sync` announces it.
 */
export const restoreAccount = Effect.fn("restoreAccount")(function* (
  did: string,
  version: string,
  { replace, budget }: { readonly replace: boolean; readonly budget: Budget }
) {
  const accounts = yield* Accounts
  const key = accountKey(did, version)
  const manifest = yield* getManifest(key, AccountManifest)
  if (manifest.did !== did) {
    return yield* new BackupDamaged({ key, problem: `is the backup of ${manifest.did}` })
  }
  const { madeAt, rev, records, car, signingKey } = manifest
  const result = (
    kind: Restored["kind"],
    blobs = 0,
    faults: ReadonlyArray<Fault> = []
  ): Restored => ({ did, kind, version, madeAt, rev, records, blobs, faults })
  budget.spend(6)
  const isHere = (yield* (yield* Directory).byDid(did)) !== undefined
  if (isHere && !replace) return result("exists")
  const tables = decodeTables(yield* getSealed(manifest.private))
  const rows = rowsAt("account", tables)
  const before = yield* accounts.call(did, "restoreBegin", { tables: rows })
  const { isWhole, copied, faults } = yield* restoreBlobs(manifest, budget)
  if (!isWhole) return result("more", copied, faults)
  // An object with records outlived its directory row; its data is newer than any backup.
  if (isHere || (before.records === 0 && records > 0)) {
    budget.spend(10)
    const staged = yield* copyIn(did, car)
    yield* accounts.call(did, "restoreRepo", { key: staged, signingKey })
  }
  yield* accounts.call(did, "restoreEnd", { tables: rows, isReplaced: isHere, madeAt })
  if (isHere) return result("replaced", copied, faults)
  yield* restoreDirectory(did, rowsAt("directory", tables))
  const versions = (yield* versionsOf(did)).length
  yield* (yield* BackupLedger).note(did, { version, stamp: "", versions })
  return result("created", copied, faults)
})
