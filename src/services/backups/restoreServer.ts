import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AccountList, type Fault, RunManifest, type Stored } from "../../core/backups/manifests.ts"
import { runKey } from "../../core/backups/places.ts"
import { decodeTables } from "../../core/backups/rows.ts"
import { ReservedKeys } from "../identity/ReservedKeys.ts"
import { Budget } from "./Budget.ts"
import { BackupLedger } from "./BackupLedger.ts"
import { markStore, storeId } from "./BackupRun.ts"
import { BackupDamaged } from "./BackupTarget.ts"
import { HostRows } from "./HostRows.ts"
import { getManifest, getSealed } from "./objects.ts"
import { restoreAccount, type Restored, versionsOf } from "./restoreAccount.ts"
import { newestFilledRun } from "./tidyBackups.ts"

/** The progress of a server's restore: a page of the host's rows or of accounts, and the position in it. */
interface Place {
  readonly stage: "host" | "accounts"
  readonly page: number
  readonly at: number
}

const placeOf = (cursor: string): Place => {
  const [, stage, page, at] = /^(host|accounts):(\d{1,6}):(\d{1,6})$/.exec(cursor) ?? []
  return stage === undefined
    ? { stage: "host", page: 0, at: 0 }
    : { stage: stage === "host" ? "host" : "accounts", page: Number(page), at: Number(at) }
}

const cursorOf = ({ stage, page, at }: Place): string => `${stage}:${page}:${at}`

/** Restores an account from the run's version, or from the newest undamaged one before it. */
const restoreSound = Effect.fnUntraced(function* (did: string, version: string, budget: Budget) {
  const faults: Array<Fault> = []
  const older = (yield* versionsOf(did)).filter((one) => one < version).toReversed()
  for (const one of [version, ...older]) {
    const tried = yield* restoreAccount(did, one, { replace: false, budget }).pipe(
      Effect.catchTags({
        BackupDamaged: ({ key, problem }) => Effect.succeed({ key, problem }),
        HandleNotAvailable: ({ handle }) =>
          Effect.succeed({ key: undefined, problem: `its handle ${handle} is taken` })
      })
    )
    if ("kind" in tried) return { restored: tried, faults: [...faults, ...tried.faults] }
    const { key, problem } = tried
    faults.push({ did, problem, ...(key === undefined ? {} : { key }) })
    if (key === undefined) break
  }
  return { restored: undefined, faults }
})

/** Restores invites, operators and reserved keys. */
const restoreHostPage = Effect.fnUntraced(function* (page: Stored) {
  yield* (yield* HostRows).restore(decodeTables(yield* getSealed(page)))
})

/** A part of a server's restore. */
export interface ServerRestored {
  readonly run: string
  /** The time of the backup, in ISO form; later changes are lost. */
  readonly madeAt: string
  /** Accounts in the backup. */
  readonly accounts: number
  readonly restored: ReadonlyArray<Restored>
  readonly faults: ReadonlyArray<Fault>
  /** Where the next call continues; absent after the last part. */
  readonly cursor?: string
}

/**
 * Restores the server's state of one run, a part per call: the host's rows, then one account after another.
 *
 * Existing accounts stay unchanged, so repeating a call is safe. An account with a damaged backup gets its newest sound
 * one, and the result reports the damage.
 */
export const restoreServer = Effect.fn("restoreServer")(function* (
  { run: wanted, cursor }: { readonly run: string | undefined; readonly cursor: string },
  limits: { readonly millis: number; readonly operations: number }
) {
  const ledger = yield* BackupLedger
  const id = yield* storeId
  const newest = wanted === undefined ? yield* newestFilledRun : undefined
  const run = wanted ?? newest?.run
  if (run === undefined) {
    return yield* new BackupDamaged({ key: "runs/", problem: "contains no complete backup" })
  }
  const manifest = yield* getManifest(runKey(run), RunManifest)
  const until = (yield* Clock.currentTimeMillis) + limits.millis
  const budget = new Budget({ ...limits, until })
  const restored: Array<Restored> = []
  const faults: Array<Fault> = [...(newest?.faults ?? [])]
  const { startedAt: madeAt, accounts } = manifest
  const answer = { run, madeAt, accounts, restored, faults }
  let place = placeOf(cursor)
  while (place.stage === "host") {
    const page = manifest.host[place.page]
    if (page === undefined) {
      yield* (yield* ReservedKeys).rewrap
      place = { stage: "accounts", page: 0, at: 0 }
      break
    }
    budget.spend(3)
    yield* restoreHostPage(page).pipe(
      Effect.catchTags({
        BackupDamaged: ({ key, problem }) => Effect.sync(() => void faults.push({ key, problem }))
      })
    )
    place = { ...place, page: place.page + 1 }
    if (yield* budget.isSpent) return { ...answer, cursor: cursorOf(place) }
  }
  for (let page = place.page; page < manifest.pages.length; page++) {
    budget.spend(1)
    const entries = yield* getManifest(manifest.pages[page]!.key, AccountList)
    for (let at = page === place.page ? place.at : 0; at < entries.length; at++) {
      const { did, version } = entries[at]!
      const one = yield* restoreSound(did, version, budget)
      faults.push(...one.faults)
      const isMore = one.restored?.kind === "more"
      if (one.restored !== undefined && !isMore) restored.push(one.restored)
      const next = isMore ? at : at + 1
      if (isMore || (yield* budget.isSpent)) {
        return { ...answer, cursor: cursorOf({ stage: "accounts", page, at: next }) }
      }
    }
  }
  // From here on the ledger describes this store, and backups continue in it.
  yield* ledger.setMark(id ?? (yield* markStore))
  return answer satisfies ServerRestored
})
