import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Fault } from "../../../core/backups/manifests.ts"
import { Accounts } from "../../accounts/Accounts.ts"
import { Budget } from "../../backups/Budget.ts"
import { InvalidRequest } from "../../failures.ts"
import { Config } from "../../host/Config.ts"
import { rotationKeys } from "../Keys.ts"
import { type HostKeyRotation, KeyRotations } from "./KeyRotations.ts"
import type { HostKeyOutcome } from "./replaceHostKey.ts"

/** How long the old key stays, in milliseconds: an older isolate may still create DIDs with it. */
const settleMillis = 15 * 60_000

/** Accounts listed at a time. */
const atOnce = 20

/** Faults named of each kind. */
const most = 100

/** How often an account is tried while the directory fails, before its turn comes in the next run. */
const mostTries = 5

/** The first pause after a failure, in milliseconds; each further one is twice as long. */
const firstPause = 10_000

/** The longest pause, in milliseconds. */
const longestPause = 5 * 60_000

/** What a pass through the accounts counts, at its start. */
const startOfPass = {
  cursor: "",
  accounts: 0,
  changed: 0,
  leavings: [],
  left: 0,
  failures: [],
  failed: 0
} satisfies Partial<HostKeyRotation>

const begun = (fingerprint: string, begunAt: number): HostKeyRotation => ({
  ...startOfPass,
  fingerprint,
  begunAt,
  finishedAt: undefined,
  phase: "replace",
  replaced: 0,
  pausedUntil: 0,
  tries: 0
})

const withFailure = (at: HostKeyRotation, fault: Fault): HostKeyRotation => ({
  ...at,
  failed: at.failed + 1,
  failures: [...at.failures, fault].slice(0, most)
})

/** The progress after an account's outcome; the cursor stays if the account must be tried again. */
const after = (
  at: HostKeyRotation,
  did: string,
  outcome: HostKeyOutcome,
  now: number
): HostKeyRotation => {
  const passed = { ...at, cursor: did, tries: 0 }
  switch (outcome.kind) {
    case "none":
      return passed
    case "current":
      return { ...passed, accounts: at.accounts + 1 }
    case "replaced":
      return {
        ...passed,
        accounts: at.accounts + 1,
        changed: at.changed + 1,
        replaced: at.replaced + 1
      }
    case "left":
      return {
        ...passed,
        left: at.left + 1,
        leavings: [...at.leavings, { did, problem: outcome.reason }].slice(0, most)
      }
    case "refused":
    case "failed":
      return withFailure(passed, { did, problem: outcome.reason })
    case "unavailable": {
      const { reason, retryAfter } = outcome
      const tries = at.tries + 1
      const pause = Math.min(longestPause, retryAfter ?? firstPause * 2 ** at.tries)
      const paused = { ...at, pausedUntil: now + pause }
      if (retryAfter !== undefined) return paused
      // The next account gets one try: the directory may fail for this one alone.
      return tries < mostTries
        ? { ...paused, tries }
        : withFailure({ ...paused, cursor: did, tries: tries - 1 }, { did, problem: reason })
    }
  }
}

/** What a request did with an account. */
export interface Reported {
  readonly did: string
  readonly outcome: HostKeyOutcome["kind"]
  readonly reason?: string
}

const reportOf = (did: string, outcome: HostKeyOutcome): Reported => ({
  did,
  outcome: outcome.kind,
  ...("reason" in outcome ? { reason: outcome.reason } : {})
})

/** A rotation's progress, as the administrator sees it. */
export interface HostKeyRotated extends HostKeyRotation {
  /** When the old key may go at the earliest, in ms. */
  readonly finishableAt: number
  /** Whether the next call must wait: for this time, or for an account that failed. */
  readonly isHeldUp: boolean
  /** The accounts that this request came to. */
  readonly reported: ReadonlyArray<Reported>
}

/** Changes one account's DID after another, as far as the budget and the directory allow. */
const walk = Effect.fnUntraced(function* (
  from: HostKeyRotation,
  budget: Budget,
  reported: Array<Reported>
) {
  const accounts = yield* Accounts
  const rotations = yield* KeyRotations
  let at = from
  if (at.cursor === "") at = { ...at, ...startOfPass }
  while (true) {
    const dids = yield* rotations.dids(at.cursor, atOnce)
    for (const did of dids) {
      const now = yield* Clock.currentTimeMillis
      if (at.pausedUntil > now || (yield* budget.isSpent)) return { at, isWhole: false }
      budget.spend(1)
      const outcome = yield* accounts.call(did, "replaceHostKey", at.fingerprint).pipe(
        Effect.catchTag("AccountUnavailable", () =>
          Effect.succeed<HostKeyOutcome>({
            kind: "failed",
            reason: "the account can't be reached"
          })
        )
      )
      at = after(at, did, outcome, now)
      yield* rotations.saveHostKey(at)
      if (outcome.kind !== "none") reported.push(reportOf(did, outcome))
    }
    if (dids.length < atOnce) return { at, isWhole: true }
  }
})

const isWaiting = ({ phase }: HostKeyRotation): boolean => phase === "wait" || phase === "done"

/** A pass or a change of the phase; `isHeldUp` if the caller must try again later. */
const step = Effect.fnUntraced(function* (
  at: HostKeyRotation,
  budget: Budget,
  reported: Array<Reported>
) {
  const now = yield* Clock.currentTimeMillis
  if (at.phase === "done") return { at, isHeldUp: false }
  if (at.phase === "wait") {
    const isHeldUp = now < at.begunAt + settleMillis
    return isHeldUp
      ? { at, isHeldUp }
      : { at: { ...at, ...startOfPass, phase: "verify" } as const, isHeldUp }
  }
  const { at: walked, isWhole } = yield* walk(at, budget, reported)
  if (!isWhole) return { at: walked, isHeldUp: false }
  if (walked.failed > 0) return { at: { ...walked, cursor: "", tries: 0 }, isHeldUp: true }
  if (walked.phase === "replace") {
    return { at: { ...walked, phase: "wait", cursor: "" } as const, isHeldUp: false }
  }
  if (walked.changed > 0) return { at: { ...walked, cursor: "" }, isHeldUp: false }
  const [current, old] = rotationKeys(yield* Config).map(({ didKey }) => didKey)
  if (current !== undefined && old !== undefined) {
    yield* (yield* KeyRotations).replaceFingerprint("PLC_ROTATION_KEY", old, current)
  }
  return {
    at: { ...walked, phase: "done", cursor: "", finishedAt: now } as const,
    isHeldUp: false
  }
})

/**
 * Replaces the host's old key in the DIDs of all accounts by the current one, a part per call, and
 * goes through them once more before the old key may go.
 *
 * Progress is stored after each account. An account whose key was replaced without that being
 * stored names the new key, so repeating it changes nothing.
 */
export const rotateHostKey = Effect.fn("rotateHostKey")(function* (limits: {
  readonly millis: number
  readonly operations: number
}) {
  const rotations = yield* KeyRotations
  const now = yield* Clock.currentTimeMillis
  const [current = "", old] = rotationKeys(yield* Config).map(({ didKey }) => didKey)
  const stored = yield* rotations.hostKey
  const known = stored?.fingerprint === current ? stored : undefined
  const reported: Array<Reported> = []
  const viewOf = (at: HostKeyRotation, isHeldUp: boolean): HostKeyRotated => ({
    ...at,
    finishableAt: at.begunAt + settleMillis,
    isHeldUp: isHeldUp && at.phase !== "done",
    reported
  })
  if (known?.phase === "done") return viewOf(known, false)
  if (old === undefined) {
    return yield* new InvalidRequest({
      message:
        "The server has only one PLC rotation key: to replace it, set the new one as PLC_ROTATION_KEY and the one until now as PLC_ROTATION_KEY_PREVIOUS"
    })
  }
  const budget = new Budget({ ...limits, until: now + limits.millis })
  let at = known ?? begun(current, now)
  if (known === undefined) yield* rotations.saveHostKey(at)
  while (true) {
    const { at: next, isHeldUp } = yield* step(at, budget, reported)
    at = next
    yield* rotations.saveHostKey(at)
    const isPaused = at.pausedUntil > (yield* Clock.currentTimeMillis) && !isWaiting(at)
    if (isHeldUp || isPaused || at.phase === "done" || (yield* budget.isSpent)) {
      return viewOf(at, isHeldUp)
    }
  }
})
