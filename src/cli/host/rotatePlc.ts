import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Syntax from "../../core/host/configSyntax.ts"
import { formatDidKey, publicKeyOf } from "../../core/identity/didKey.ts"
import { Did, Words } from "../answers.ts"
import { Failed, inWords } from "../failure.ts"
import { facts, note, report } from "../output.ts"
import { Pause } from "../patience.ts"
import type { Remote } from "../xrpc.ts"
import {
  administratorAt,
  beginRotation,
  endRotation,
  Fault,
  type KeyPlace,
  lines,
  progressOf
} from "./rotate.ts"
import { readVars } from "./vars.ts"

const Reported = Schema.Struct({
  did: Did,
  outcome: Words,
  reason: Schema.optionalKey(Words)
})

const Progress = Schema.Struct({
  fingerprint: Words,
  phase: Words,
  accounts: Schema.Int,
  replaced: Schema.Int,
  left: Schema.Int,
  leavings: Schema.Array(Fault),
  failed: Schema.Int,
  failures: Schema.Array(Fault),
  finishableAt: Schema.Int,
  pausedUntil: Schema.Int,
  isHeldUp: Schema.Boolean,
  reported: Schema.Array(Reported)
})

type Reports = ReadonlyMap<string, typeof Reported.Type>

const words: Readonly<Record<string, string>> = {
  replaced: "replaced",
  current: "already has the new key",
  left: "left alone",
  refused: "the PLC directory refused the operation",
  failed: "failed",
  unavailable: "is tried again"
}

/** Continues the server's rotation until it ends or must wait, and reports each account once. */
const follow = Effect.fnUntraced(function* (admin: Remote, fingerprint: string, again: string) {
  const wait = yield* Pause
  const reports = new Map<string, typeof Reported.Type>()
  while (true) {
    const at = yield* progressOf(admin, "admin/keys/plc", Progress, { fingerprint, again })
    for (const one of at.reported) {
      const { did, outcome, reason } = one
      // The last pass finds the new key in place.
      if (outcome === "current" && reports.has(did)) continue
      reports.set(did, one)
      yield* note(
        `${did}: ${words[outcome] ?? outcome}${reason === undefined ? "" : ` (${reason})`}`
      )
    }
    if (at.isHeldUp || at.phase === "done") return { at, reports }
    const pause = at.pausedUntil - (yield* Clock.currentTimeMillis)
    if (pause > 0) {
      yield* note(`The PLC directory asks to wait. Continuing in ${inWords(pause)}`)
      yield* wait(pause)
    }
  }
})

const reported = (at: typeof Progress.Type, reports: Reports) => {
  const { phase, replaced, left, failed, finishableAt } = at
  return { phase, replaced, left, failed, finishableAt, accounts: [...reports.values()] }
}

/** Rotates the host's key in the accounts' DIDs, as far as it goes now. */
export const rotatePlcKey = Effect.fnUntraced(function* (place: KeyPlace, yes: boolean) {
  yield* beginRotation("PLC_ROTATION_KEY", place, yes)
  const { PLC_ROTATION_KEY: key = "" } = yield* readVars(place.file)
  const secret = Schema.decodeUnknownOption(Syntax.K256PrivateKey)(key)
  if (Option.isNone(secret)) {
    return yield* new Failed({
      message: `PLC_ROTATION_KEY in ${place.file} isn't a key`,
      next: "Put your copy of the server's PLC_ROTATION_KEY into that file."
    })
  }
  const fingerprint = formatDidKey(publicKeyOf("k256", secret.value))
  const { at, reports } = yield* follow(yield* administratorAt(place), fingerprint, place.again)
  const isDone = at.phase === "done"
  if (isDone) yield* endRotation("PLC_ROTATION_KEY", place)
  const stays = at.failed > 0 ? "stays" : `stays until ${new Date(at.finishableAt).toISOString()}`
  yield* report(reported(at, reports), () =>
    facts([
      ["Accounts", `${at.accounts} name this server's key`],
      ["Replaced", String(at.replaced)],
      ["Left alone", at.left === 0 ? undefined : String(at.left)],
      ["Failed", at.failed === 0 ? undefined : String(at.failed)],
      ["Old key", isDone ? "removed" : stays]
    ])
  )
  if (at.left > 0) {
    yield* note(`The owner or another server controls these:\n${lines(at.leavings)}`)
  }
  if (at.failed > 0) {
    return yield* new Failed({
      hasResult: true,
      message: `${at.failed} accounts don't have the new key yet:\n${lines(at.failures)}`,
      next: `The old key stays until they have. Run the command again: ${place.again}`
    })
  }
  if (!isDone) yield* note(`Run the command again afterwards: ${place.again}`)
  else if (place.environment === undefined) {
    yield* note("Restart the server so it forgets the old key.")
  }
})
