import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { openAsBlob } from "node:fs"
import { nacre } from "../../../scripts/project.ts"
import { signBytes, verifyBytes } from "../../core/identity/didKey.ts"
import { carBytes } from "../../core/repo/car.ts"
import { type ForeignCommit, signedCommit, unsignedCommitBytes } from "../../core/repo/commit.ts"
import { tidFromMicros } from "../../core/repo/tid.ts"
import { checkCar } from "../backup/fetching.ts"
import type { Folder } from "../backup/folder.ts"
import { openExport } from "../backup/unzip.ts"
import type { WholeRepo } from "../backup/wholeRepo.ts"
import { Failed } from "../failure.ts"

/** An account's backup: its repo, and the rest of an export if there is one. */
export interface Backup {
  readonly car: string
  readonly folder: Folder | undefined
  readonly commit: ForeignCommit
  /** The blobs that its records reference. */
  readonly blobs: WholeRepo["blobs"]
}

/** Opens an export's folder, an archive or a single CAR; reads the whole repo. */
export const openBackup = Effect.fn("cli.openBackup")(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const { type } = yield* Effect.mapError(
    files.stat(path),
    () =>
      new Failed({
        message: `${path} doesn't exist`,
        next: `Name a folder created by ${nacre} export, an archive (.zip), or a repo's CAR file.`
      })
  )
  const isExport = type === "Directory" || /\.zip$/i.test(path)
  const folder = isExport ? yield* openExport(path) : undefined
  const car = folder?.car ?? path
  const { commit, blobs } = yield* checkCar(car)
  return { car, folder, commit, blobs } satisfies Backup
})

/** Fails unless one of these keys of the DID's history has signed the repo. */
export const assertSignedBy = Effect.fnUntraced(function* (
  { car, commit }: Backup,
  keys: ReadonlyArray<string>
) {
  const { unsigned, sig } = commit
  if (keys.some((key) => verifyBytes(key, unsigned, sig))) return
  return yield* new Failed({
    message: `${car} isn't signed by any key that ${commit.did} has ever had. It may be forged`
  })
})

/** The length of a CAR's header, including its length prefix. */
const headerLength = (start: Uint8Array): number => {
  let length = 0
  let at = 0
  for (let shift = 1; at < start.length; shift *= 0x80) {
    const byte = start[at++]!
    length += (byte & 0x7f) * shift
    if (byte < 0x80) break
  }
  return at + length
}

/** The repo as a CAR stream with the same records and a commit signed by a K-256 key. */
export const signedAnew = Effect.fn("cli.signedAnew")(function* (
  { car, commit }: Backup,
  secret: Uint8Array
) {
  const { did, data } = commit
  // Commits before 2023 have no rev; the importing server creates a later one anyway.
  const rev = commit.rev ?? tidFromMicros(0, 0)
  const sig = signBytes("k256", secret, unsignedCommitBytes({ did, data, rev }))
  const block = signedCommit({ did, data, rev, sig })
  const unreadable = () => new Failed({ message: `Couldn't read ${car}` })
  const file = yield* Effect.tryPromise({ try: () => openAsBlob(car), catch: unreadable })
  const start = yield* Effect.tryPromise({
    try: () => file.slice(0, 8).arrayBuffer(),
    catch: unreadable
  })
  const head = new Uint8Array(carBytes(block.cid, [block]))
  return new Blob([head, file.slice(headerLength(new Uint8Array(start)))])
})
