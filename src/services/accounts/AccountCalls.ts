import * as Effect from "effect/Effect"
import { archiveCalls } from "../backups/archive/calls.ts"
import { archiveImportCalls } from "../backups/archive/imports.ts"
import { backupCalls } from "../backups/calls.ts"
import { blobCalls } from "../blobs/calls.ts"
import { factorCalls } from "../factors/calls.ts"
import { identityCalls } from "../identity/calls.ts"
import { keyCalls } from "../identity/keys/calls.ts"
import { oauthCalls } from "../oauth/calls.ts"
import { proxyCalls } from "../proxy/calls.ts"
import { repoCalls } from "../repo/calls.ts"
import { sessionCalls } from "../sessions/calls.ts"
import { accountCalls } from "./calls.ts"
import { moveInCalls } from "./moveInNotes.ts"
import { notifyOwner } from "./notifyOwner.ts"

/**
 * The Worker's calls to an account's object, by name.
 *
 * Inputs and outputs are structured-cloneable.
 */
const calls = {
  ...accountCalls,
  ...archiveCalls,
  ...archiveImportCalls,
  ...backupCalls,
  ...blobCalls,
  ...factorCalls,
  ...identityCalls,
  ...keyCalls,
  ...moveInCalls,
  ...oauthCalls,
  ...proxyCalls,
  ...repoCalls,
  ...sessionCalls
}

export type AccountCalls = typeof calls

export type CallName = keyof AccountCalls

/** A call's input, if it has one. */
export type CallInput<K extends CallName> = Parameters<AccountCalls[K]>

/** A call's result. */
export type CallOutput<K extends CallName> = Effect.Success<ReturnType<AccountCalls[K]>>

/** A call's errors. */
export type CallFailure<K extends CallName> = Effect.Error<ReturnType<AccountCalls[K]>>

/** The services that the calls need. */
export type CallServices =
  | Effect.Services<ReturnType<AccountCalls[CallName]>>
  | Effect.Services<typeof notifyOwner>

/** Runs a call inside an account's object, and afterwards mails its owner what it has changed. */
export const runCall = <K extends CallName>(
  method: K,
  ...input: CallInput<K>
): Effect.Effect<CallOutput<K>, CallFailure<K>, CallServices> => {
  // SAFETY: the table holds, for each name, the function from its input to its output.
  const run = calls[method] as unknown as (
    ...input: CallInput<K>
  ) => Effect.Effect<CallOutput<K>, CallFailure<K>, CallServices>
  return Effect.ensuring(run(...input), notifyOwner)
}
