import * as Effect from "effect/Effect"
import { noter } from "../../accounts/AccountHistory.ts"
import { AccountStore, inactiveStatus } from "../../accounts/AccountStore.ts"
import { putPreferences } from "../../accounts/OwnerPreferences.ts"
import { PendingDeletion } from "../../accounts/PendingDeletion.ts"
import { continueMigration } from "../../accounts/PendingMigration.ts"
import type { Preference } from "../../accounts/Preferences.ts"
import { StatusRefused } from "../../accounts/SubjectStatus.ts"
import { BlobIndex, BlobNotFound } from "../../blobs/BlobIndex.ts"
import { admitUpload } from "../../blobs/calls.ts"
import { admitImport, importStaged } from "../../repo/calls.ts"
import { Repo } from "../../repo/Repo.ts"
import { RepoCounts } from "../../repo/RepoCounts.ts"
import { ImportRefused } from "../../repo/RepoImport.ts"

/** Missing blobs listed at a time. */
const pageSize = 1000

/** Fails unless the account is deactivated: only then may an archive replace its data. */
const assertWaiting = Effect.gen(function* () {
  const account = yield* (yield* AccountStore).get
  const isHeld = (yield* PendingDeletion).get() !== undefined
  if (inactiveStatus(account) === "deactivated" && !isHeld) return yield* continueMigration
  return yield* new StatusRefused({ message: "The account isn't deactivated" })
})

/** What the account holds, and whether its records are those under a tree's root. */
const archiveState = Effect.fnUntraced(function* ({ root }: { readonly root?: string }) {
  yield* assertWaiting
  const { records, expectedBlobs, importedBlobs } = yield* (yield* RepoCounts).get
  const own = yield* (yield* Repo).head
  const isHere = root !== undefined && own.root.toString() === root
  return { records, isHere, expectedBlobs, importedBlobs }
})

/** Admits an archive's CAR; the owner must agree to replace records. */
const admitArchive = Effect.fnUntraced(function* (input: {
  readonly size?: number
  readonly replaces: boolean
}) {
  yield* assertWaiting
  if (!input.replaces && (yield* (yield* Repo).head).records > 0) {
    return yield* new ImportRefused({ reason: "the account already has records" })
  }
  return yield* admitImport(input)
})

/** Imports a staged CAR that was admitted; returns how many invalid records stayed as they are. */
const importArchive = Effect.fnUntraced(function* ({ key }: { readonly key: string }) {
  yield* assertWaiting
  const { odd } = yield* importStaged(key)
  const note = yield* noter
  note({ kind: "archive-imported" })
  return { odd }
})

/** The CIDs of the blobs that records refer to and that aren't stored. */
const archiveBlobs = Effect.fnUntraced(function* ({ cursor }: { readonly cursor?: string }) {
  yield* assertWaiting
  const blobs = yield* BlobIndex
  const page = blobs.missing({ limit: pageSize, ...(cursor === undefined ? {} : { cursor }) })
  return { cids: page.items.map(({ cid }) => cid), cursor: page.cursor }
})

/** Admits a blob of an archive, if a record waits for it. */
const admitArchiveBlob = Effect.fnUntraced(function* (input: {
  readonly cid: string
  readonly size?: number
}) {
  yield* assertWaiting
  const { cid } = input
  if ((yield* BlobIndex).awaitedBy(cid) === undefined) return yield* new BlobNotFound({ cid })
  return yield* admitUpload(input)
})

/** Replaces the preferences with those of an archive. */
const putArchivePreferences = Effect.fnUntraced(function* ({
  preferences
}: {
  readonly preferences: ReadonlyArray<Preference>
}) {
  yield* assertWaiting
  yield* putPreferences(preferences, true)
})

/** The Worker's calls for an archive that the owner imports on the account's page. */
export const archiveImportCalls = {
  archiveState,
  admitArchive,
  importArchive,
  archiveBlobs,
  admitArchiveBlob,
  putArchivePreferences
}
