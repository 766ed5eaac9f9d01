import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Fault } from "../../../core/backups/manifests.ts"
import { Accounts } from "../../accounts/Accounts.ts"
import { BackupLedger } from "../../backups/BackupLedger.ts"
import { BackupTarget } from "../../backups/BackupTarget.ts"
import { Budget } from "../../backups/Budget.ts"
import { pendingReturns } from "../../backups/pointInTime/restoreAt.ts"
import { resealAccount, resealRuns } from "../../backups/resealBackups.ts"
import { InvalidRequest } from "../../failures.ts"
import { Config } from "../../host/Config.ts"
import { ReservedKeys } from "../ReservedKeys.ts"
import { KeyRotations, type MasterRotation } from "./KeyRotations.ts"
import { fingerprintOf } from "./olderKeys.ts"

/** How long the old key stays, in milliseconds: codes that were mailed before are valid so long. */
const settleMillis = 15 * 60_000

/** Accounts asked at a time. */
const atOnce = 20

/** Faults named of each kind. */
const most = 100

/** What a pass through the accounts counts, at its start. */
const startOfPass = {
  cursor: "",
  accounts: 0,
  changed: 0,
  failures: [],
  failed: 0,
  problems: [],
  damaged: 0
} satisfies Partial<MasterRotation>

const begun = (fingerprint: string, begunAt: number): MasterRotation => ({
  ...startOfPass,
  fingerprint,
  begunAt,
  finishedAt: undefined,
  phase: "rewrap",
  rewrapped: 0,
  backups: 0
})

const withFailure = (at: MasterRotation, fault: Fault): MasterRotation => ({
  ...at,
  failed: at.failed + 1,
  failures: [...at.failures, fault].slice(0, most)
})

const withProblems = (at: MasterRotation, faults: ReadonlyArray<Fault>): MasterRotation => ({
  ...at,
  damaged: at.damaged + faults.length,
  problems: [...at.problems, ...faults].slice(0, most)
})

/** A step's result; `isHeldUp` if the caller must try again later. */
interface Step {
  readonly at: MasterRotation
  readonly isHeldUp: boolean
}

const next = (at: MasterRotation): Step => ({ at, isHeldUp: false })
const heldUp = (at: MasterRotation): Step => ({ at, isHeldUp: true })

/** Puts one account under the current key; an object without an account has nothing to change. */
const rewrapOne = Effect.fnUntraced(function* (at: MasterRotation, did: string) {
  const accounts = yield* Accounts
  return yield* accounts.call(did, "rewrapKeys").pipe(
    Effect.map(({ isChanged, problems }) =>
      withProblems(
        {
          ...at,
          accounts: at.accounts + 1,
          changed: at.changed + (isChanged ? 1 : 0),
          rewrapped: at.rewrapped + (isChanged ? 1 : 0)
        },
        problems.map((problem) => ({ did, problem }))
      )
    ),
    Effect.catchTags({
      RepoNotFound: () => Effect.succeed(at),
      AccountUnavailable: () =>
        Effect.succeed(withFailure(at, { did, problem: "the account can't be reached" }))
    })
  )
})

/**
 * Goes through the accounts; a pass that changed something is repeated, because another isolate may
 * still have written with the old key.
 */
const pass = Effect.fnUntraced(function* (
  from: MasterRotation,
  after: (at: MasterRotation) => MasterRotation,
  budget: Budget
) {
  let at = from
  if (at.cursor === "") {
    budget.spend(1)
    const { changed, unreadable } = yield* (yield* ReservedKeys).rewrap
    at = { ...at, ...startOfPass, changed }
    if (unreadable > 0) {
      at = withProblems(at, [{ problem: `${unreadable} reserved keys can't be opened` }])
    }
  }
  const dids = yield* (yield* KeyRotations).dids(at.cursor, atOnce)
  // Their present waits in the blob store, sealed with the key of its time.
  const returning = yield* pendingReturns
  for (const did of dids) {
    budget.spend(1)
    const after = Object.hasOwn(returning, did)
      ? withFailure(at, { did, problem: "it is going back to a point in time" })
      : yield* rewrapOne(at, did)
    at = { ...after, cursor: did }
  }
  if (dids.length === atOnce) return next(at)
  if (at.failed > 0) return heldUp({ ...at, cursor: "" })
  return next(at.changed > 0 ? { ...at, cursor: "" } : after(at))
})

/** Puts the backup store under the current key, an account a step; the runs come last. */
const backups = Effect.fnUntraced(function* (at: MasterRotation, budget: Budget) {
  const done = { ...at, phase: "wait", cursor: "" } as const
  if ((yield* BackupTarget) === undefined) return next(done)
  const ledger = yield* BackupLedger
  // Its manifest would name pages under the old key.
  if ((yield* ledger.open) !== undefined) return heldUp(at)
  const add = ({
    changed,
    faults
  }: {
    readonly changed: number
    readonly faults: ReadonlyArray<Fault>
  }) => withProblems({ ...at, backups: at.backups + changed }, faults)
  const [kind = "here", after = ""] = at.cursor === "" ? [] : at.cursor.split(" ")
  const list = kind === "here" ? ledger.backed : ledger.gone
  if (kind === "runs") {
    return next({ ...add(yield* resealRuns(budget)), phase: "wait", cursor: "" })
  }
  const [account] = yield* list(after, 1)
  if (account === undefined) return next({ ...at, cursor: kind === "here" ? "gone " : "runs " })
  return next({
    ...add(yield* resealAccount(account.did, budget)),
    cursor: `${kind} ${account.did}`
  })
})

const step = Effect.fnUntraced(function* (at: MasterRotation, budget: Budget) {
  const { masterKey, masterKeyPrevious } = yield* Config
  const now = yield* Clock.currentTimeMillis
  switch (at.phase) {
    case "rewrap":
      return yield* pass(at, (whole) => ({ ...whole, phase: "backups", cursor: "" }), budget)
    case "backups":
      return yield* backups(at, budget)
    case "wait":
      return now < at.begunAt + settleMillis
        ? heldUp(at)
        : next({ ...at, ...startOfPass, phase: "verify" })
    case "verify": {
      const passed = yield* pass(at, (whole) => ({ ...whole, phase: "done", cursor: "" }), budget)
      if (passed.at.phase !== "done" || masterKeyPrevious === undefined) return passed
      yield* (yield* KeyRotations).replaceFingerprint(
        "MASTER_KEY",
        fingerprintOf(masterKeyPrevious),
        fingerprintOf(masterKey)
      )
      return next({ ...passed.at, finishedAt: now })
    }
    case "done":
      return heldUp(at)
  }
})

/** A rotation's progress, as the administrator sees it. */
export interface MasterRotated extends MasterRotation {
  /** When the old key may go at the earliest, in ms. */
  readonly finishableAt: number
  /** Whether the next call must wait: for this time, for a backup to end, or for an account. */
  readonly isHeldUp: boolean
  /** Whether a running backup holds it up. */
  readonly isBackupOpen: boolean
}

const viewOf = (at: MasterRotation, isHeldUp: boolean): MasterRotated => ({
  ...at,
  finishableAt: at.begunAt + settleMillis,
  isHeldUp: isHeldUp && at.phase !== "done",
  isBackupOpen: isHeldUp && at.phase === "backups"
})

/**
 * Puts everything under the current master key, a part per call: reserved keys, accounts one after
 * another, backups; then goes through the accounts once more before the old key may go.
 *
 * Progress is stored after each step. Repeating a step changes nothing.
 */
export const rotateMasterKey = Effect.fn("rotateMasterKey")(function* (limits: {
  readonly millis: number
  readonly operations: number
}) {
  const { masterKey, masterKeyPrevious } = yield* Config
  const rotations = yield* KeyRotations
  const now = yield* Clock.currentTimeMillis
  const fingerprint = fingerprintOf(masterKey)
  const stored = yield* rotations.master
  const known = stored?.fingerprint === fingerprint ? stored : undefined
  if (known?.phase === "done") return viewOf(known, false)
  if (masterKeyPrevious === undefined) {
    return yield* new InvalidRequest({
      message:
        "The server has only one master key: to replace it, set the new one as MASTER_KEY and the one until now as MASTER_KEY_PREVIOUS"
    })
  }
  const budget = new Budget({ ...limits, until: now + limits.millis })
  let at = known ?? begun(fingerprint, now)
  if (known === undefined) yield* rotations.saveMaster(at)
  while (true) {
    const { at: after, isHeldUp } = yield* step(at, budget)
    at = after
    yield* rotations.saveMaster(at)
    if (isHeldUp || at.phase === "done" || (yield* budget.isSpent)) {
      return viewOf(at, isHeldUp)
    }
  }
})
