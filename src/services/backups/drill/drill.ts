import { isDeepStrictEqual } from "node:util"
import * as Effect from "effect/Effect"
import { AccountManifest, BlobList, type Fault } from "../../../core/backups/manifests.ts"
import { accountKey, drillKey } from "../../../core/backups/places.ts"
import { decodeTables } from "../../../core/backups/rows.ts"
import { Accounts } from "../../accounts/Accounts.ts"
import { verifyCar, writeCar } from "../backUpCar.ts"
import { backupTarget } from "../BackupTarget.ts"
import { getManifest, getSealed } from "../objects.ts"
import { blobsHere, rowsAt } from "../restoreAccount.ts"
import { restoreServer } from "../restoreServer.ts"

/** Names what differs between a restored account and its backup. */
const compareAccount = Effect.fnUntraced(function* (did: string, version: string) {
  const accounts = yield* Accounts
  const manifest = yield* getManifest(accountKey(did, version), AccountManifest)
  const { signingKey } = manifest
  const faults: Array<Fault> = []
  const differs = (problem: string) => void faults.push({ did, problem })

  const kept = yield* verifyCar(manifest.car, { did, signingKey })
  const now = yield* accounts.call(did, "backupState")
  const exported = yield* writeCar(did, drillKey(did))
  const restored = yield* verifyCar(exported, { did, signingKey: now.signingKey })
  yield* (yield* backupTarget).delete([exported.key])
  if (restored.data !== kept.data) differs("its records differ from the backup's")
  if (restored.rev <= kept.rev) differs("its rev isn't above the backup's")
  if (now.signingKey !== signingKey) differs("its signing key differs")

  const here = yield* blobsHere(did)
  let blobs = 0
  for (const list of manifest.blobs.lists) {
    for (const { cid } of yield* getManifest(list.key, BlobList)) {
      blobs += 1
      if (!here.has(cid)) differs(`the blob ${cid} is missing`)
    }
  }

  const sealed = rowsAt("account", decodeTables(yield* getSealed(manifest.private)))
  const rows = yield* accounts.call(did, "backupRows")
  for (const [table, found] of Object.entries(rows)) {
    // A restore never announces an account as new, so this row may differ.
    if (table !== "announced" && !isDeepStrictEqual(found, sealed[table]))
      differs(`its rows of ${table} differ`)
  }
  return { records: restored.records, blobs, faults }
})

/** The result of a drill. */
export interface Drill {
  readonly run: string
  readonly madeAt: string
  readonly accounts: number
  readonly records: number
  readonly blobs: number
  readonly faults: ReadonlyArray<Fault>
}

const unlimited = { millis: Infinity, operations: Infinity }

/**
 * Restores the newest backup into this server, which must be empty, and compares every account with its backup: records,
 * blobs, keys, preferences and ways to sign in.
 */
export const drill = Effect.fn("drill")(function* () {
  const {
    run,
    madeAt,
    restored,
    faults: damaged
  } = yield* restoreServer({ run: undefined, cursor: "" }, unlimited)
  const faults: Array<Fault> = [...damaged]
  let records = 0
  let blobs = 0
  for (const { did, version } of restored) {
    const one = yield* compareAccount(did, version)
    faults.push(...one.faults)
    records += one.records
    blobs += one.blobs
  }
  return { run, madeAt, accounts: restored.length, records, blobs, faults } satisfies Drill
})
