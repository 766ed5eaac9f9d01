import * as Effect from "effect/Effect"
import { complete } from "../../../core/operators/alerts.ts"
import { Directory } from "../../accounts/Directory.ts"
import { CodeOwners } from "../../mail/CodeOwners.ts"
import { Mailer } from "../../mail/Mailer.ts"

/** The most accounts that one look names. */
const named = 10

/** Members who wait for a code that only an operator can read; empty if codes are mailed. */
export const waitingResets = Effect.fnUntraced(function* (now: number) {
  if ((yield* Mailer).delivers) return []
  const directory = yield* Directory
  const dids = yield* (yield* CodeOwners).waiting(now, named)
  const entries = yield* Effect.forEach(dids, directory.byDid)
  return entries.flatMap((entry) => entry ?? [])
})

/** Whether somebody waits for a code to set a new password, on a server that mails none. */
export const lookAtResets = Effect.fnUntraced(function* (now: number) {
  const waiting = yield* waitingResets(now)
  const detail = waiting
    .map(({ handle }) => handle)
    .join(", ")
    .slice(0, 500)
  return complete(
    ["reset-waiting"],
    waiting.length === 0 ? [] : [{ kind: "reset-waiting", subject: "", detail }]
  )
})
