import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AccountManifest, type Fault } from "../../core/backups/manifests.ts"
import { accountKey, carKey, privateKey } from "../../core/backups/places.ts"
import { encodeTables, type Tables } from "../../core/backups/rows.ts"
import { Accounts } from "../accounts/Accounts.ts"
import type { AccountState } from "./AccountRows.ts"
import type { LedgerAccount } from "./BackupLedger.ts"
import { backupTarget } from "./BackupTarget.ts"
import { blobLists, copyBlobs } from "./backUpBlobs.ts"
import { verifyCar, writeCar } from "./backUpCar.ts"
import type { Budget } from "./Budget.ts"
import { digestOf } from "./digests.ts"
import { HostRows } from "./HostRows.ts"
import { getManifest, putManifest, putSealed } from "./objects.ts"

/** A text that changes whenever anything changes that the account's backup contains. */
const stampOf = (
  { rev, awaited, digest }: Pick<AccountState, "rev" | "awaited" | "digest">,
  listed: string
): string => JSON.stringify([rev, awaited, digest, digestOf({ listed: [{ listed }] })])

/** The last version's CAR, if it contains the current repo and is undamaged. */
const lastCar = Effect.fnUntraced(function* (did: string, version: string, rev: string) {
  const { car, signingKey, ...last } = yield* getManifest(accountKey(did, version), AccountManifest)
  if (last.did !== did || last.rev !== rev) return undefined
  return { car, signingKey, verified: yield* verifyCar(car, { did, signingKey }) }
})

/** Stores the account's export, and reads it back. */
const newCar = Effect.fnUntraced(function* (run: string, did: string, signingKey: string) {
  const car = yield* writeCar(did, carKey(did, run))
  return { car, signingKey, verified: yield* verifyCar(car, { did, signingKey }) }
})

/** The rows of both places, with the place in each table's name. */
const placed = (account: Tables, directory: Tables): Tables =>
  Object.fromEntries([
    ...Object.entries(account).map(([table, rows]) => [`account/${table}`, rows] as const),
    ...Object.entries(directory).map(([table, rows]) => [`directory/${table}`, rows] as const)
  ])

/**
 * Backs up an account if it changed since its last version.
 *
 * Blobs come first, because they take longest; then the CAR, which is read back and verified; then the lists of all
 * blobs, including those uploaded during the export. The manifest is last: a version without it is incomplete.
 *
 * Returns "more" when the budget is spent: the next call continues after the copied blobs.
 */
export const backUpAccount = Effect.fn("backUpAccount")(function* (
  run: string,
  { did, listed, backed }: LedgerAccount,
  budget: Budget
) {
  const accounts = yield* Accounts
  budget.spend(2)
  const state = yield* accounts.call(did, "backupState")
  if (backed?.stamp === stampOf(state, listed)) return { kind: "unchanged" } as const

  const early = yield* copyBlobs(did, budget, () => Effect.void)
  if (!early.isWhole) return { kind: "more", blobs: early.copied, bytes: early.bytes } as const

  budget.spend(10)
  const kept =
    backed === undefined
      ? undefined
      : yield* Effect.orElseSucceed(lastCar(did, backed.version, state.rev), () => undefined)
  const isKept = kept !== undefined
  const { car, signingKey, verified } = kept ?? (yield* newCar(run, did, state.signingKey))

  const lists = blobLists(did, run)
  const late = yield* copyBlobs(did, budget, lists.add)
  const { known, ...blobs } = yield* lists.end
  const missing = [...verified.blobs].filter((cid) => !known.has(cid)).length

  const rows = yield* accounts.call(did, "backupRows")
  const directory = yield* (yield* HostRows).ofAccount(did)
  const secret = yield* putSealed(privateKey(did, run), encodeTables(placed(rows, directory)))
  const madeAt = new Date(yield* Clock.currentTimeMillis).toISOString()
  const { commit, rev, records, nodes } = verified
  const manifest: AccountManifest = {
    type: "nacre-backup-account",
    version: 1,
    did,
    run,
    madeAt,
    commit,
    rev,
    records,
    nodes,
    signingKey,
    car,
    private: secret,
    blobs: { ...blobs, missing }
  }
  yield* putManifest(accountKey(did, run), manifest)
  const faults: Array<Fault> = late.faults.map((fault) => ({ did, ...fault }))
  if (missing > state.awaited + faults.length) {
    faults.push({ did, problem: `${missing} blobs that its records refer to are missing` })
  }
  const stamp = stampOf(
    { rev: verified.rev, awaited: state.awaited, digest: digestOf(rows) },
    listed
  )
  return {
    kind: "written",
    // An empty stamp makes the next run retry the blobs that couldn't be copied.
    backed: {
      version: run,
      stamp: faults.length === 0 ? stamp : "",
      versions: backed?.version === run ? backed.versions : (backed?.versions ?? 0) + 1
    },
    blobs: early.copied + late.copied,
    bytes: early.bytes + late.bytes + (isKept ? 0 : car.size) + secret.size,
    faults
  } as const
})

/** Deletes everything below a prefix. */
export const deleteBelow = Effect.fnUntraced(function* (prefix: string) {
  const target = yield* backupTarget
  while (true) {
    const { objects } = yield* target.list(prefix)
    if (objects.length === 0) return
    yield* target.delete(objects.map(({ key }) => key))
  }
})
