import * as Effect from "effect/Effect"
import { AccountManifest, BlobList, type Fault, type Stored } from "../../core/backups/manifests.ts"
import { accountKey, blobKey } from "../../core/backups/places.ts"
import { parseCid, sha256 } from "../../core/repo/cid.ts"
import { Accounts } from "../accounts/Accounts.ts"
import type { KeptBlob } from "./AccountRows.ts"
import type { Backed } from "./BackupLedger.ts"
import { copyBlob } from "./backUpBlobs.ts"
import { verifyCar } from "./backUpCar.ts"
import type { Budget } from "./Budget.ts"
import {
  assertSame,
  damageCounter,
  getBytes,
  getManifest,
  getSealed,
  readObject
} from "./objects.ts"

/** The number of runs that it takes to read back every object of the newest versions. */
const sampleRuns = 28

/** Whether an object is read back in a run, by the last byte of its digest. */
const isInSample = (byte: number | undefined, turn: number): boolean =>
  (byte ?? 0) % sampleRuns === turn % sampleRuns

/** The result of reading back an account. */
export interface Sample {
  readonly sampled: number
  readonly faults: ReadonlyArray<Fault>
  /** False if the next run must write the account again. */
  readonly isSound: boolean
}

/** Finds a blob in the account's index. */
const sourceOf = Effect.fnUntraced(function* (did: string, wanted: string) {
  const accounts = yield* Accounts
  let cursor: string | undefined
  do {
    const page: { readonly items: ReadonlyArray<KeptBlob>; readonly cursor: string | undefined } =
      yield* accounts.call(did, "backupBlobs", {
        limit: 1000,
        ...(cursor === undefined ? {} : { cursor })
      })
    const found = page.items.find(({ cid }) => cid === wanted)
    if (found !== undefined) return found
    cursor = page.cursor
  } while (cursor !== undefined)
  return undefined
})

/** Copies a blob again if the server still has it. */
const mend = Effect.fnUntraced(function* (did: string, cid: string) {
  const source = yield* sourceOf(did, cid)
  if (source === undefined) return false
  yield* copyBlob(did, source)
  return true
})

/**
 * Reads back an account's newest version: always its manifest, sealed rows and lists; the CAR and the blobs only when
 * it's their turn, or all of them.
 *
 * A damaged copy of a blob is replaced if the server still has the blob. The next run rewrites any other damage.
 */
export const sampleAccount = Effect.fn("sampleAccount")(function* (
  did: string,
  { version }: Backed,
  turn: number | "all",
  budget: Budget
) {
  const { state, noting } = damageCounter(did)
  let isSound = true
  const sample = (): Sample => ({ sampled: state.sound, faults: state.faults, isSound })
  const isDue = (byte: number | undefined) => turn === "all" || isInSample(byte, turn)

  const orAnew = <A>(value: A | undefined): A | undefined => {
    if (value === undefined) isSound = false
    return value
  }

  budget.spend(3)
  const reading = getManifest(accountKey(did, version), AccountManifest)
  const manifest = orAnew(yield* noting(reading))
  if (manifest === undefined) return sample()
  orAnew(yield* noting(getSealed(manifest.private)))
  if (isDue(sha256(did)[31])) {
    budget.spend(1)
    orAnew(yield* noting(verifyCar(manifest.car, manifest)))
  }
  for (const list of manifest.blobs.lists) {
    budget.spend(1)
    const blobs = orAnew(
      yield* noting(Effect.andThen(getBytes(list), getManifest(list.key, BlobList)))
    )
    for (const { cid, size } of blobs ?? []) {
      if (!isDue(parseCid(cid).digest[31])) continue
      budget.spend(1)
      const written: Stored = { key: blobKey(did, cid), size, digest: cid }
      const checking = Effect.tap(readObject(written.key), (read) => assertSame(written, read))
      if ((yield* noting(checking)) !== undefined) continue
      const isMended = yield* Effect.orElseSucceed(mend(did, cid), () => false)
      isSound = isSound && isMended
    }
  }
  return sample()
})
