import * as Effect from "effect/Effect"
import type { AccountCalls } from "../services/accounts/AccountCalls.ts"
import { AccountEvents } from "../services/stream/AccountEvents.ts"
import { Rejected } from "../services/accounts/Accounts.ts"
import { verifyHandle } from "../services/identity/HandleProof.ts"
import { endSignUp } from "../services/accounts/signUp/SignUpEnd.ts"
import { adminCalls } from "./accounts/adminCalls.ts"
import { authorizeUpload, locateBlob, recordUpload } from "./blobs/calls.ts"
import { authorizeImport, importRepo } from "./repo/importCalls.ts"
import { localRecords, signAppViewRead } from "./repo/localRecordCalls.ts"
import {
  consented,
  endOAuth,
  openOAuth,
  peekOAuth,
  refreshOAuth,
  rememberConsent,
  revokeOAuth
} from "./oauth/calls.ts"
import { passkeyLinkCalls } from "./factors/passkeyLinkCalls.ts"
import { authorizeProxy } from "./proxy/calls.ts"
import { ownershipCalls } from "./accounts/ownershipCalls.ts"
import { recoveryCalls } from "./sessions/recoveryCalls.ts"
import { authorizeMethod } from "./sessions/methodCalls.ts"
import { securityCalls } from "./sessions/securityCalls.ts"
import { create, destroy, summary } from "./accounts/signUpCalls.ts"
import { type Failure, wireError } from "./errors.ts"

const calls = {
  create,
  announce: () => Effect.flatMap(AccountEvents, (events) => events.signUp),
  destroy: () => destroy,
  endSignUp,
  verifyHandle: () => verifyHandle(),
  summary: () => summary,
  authorizeUpload,
  recordUpload,
  locateBlob,
  authorizeImport,
  importRepo,
  openOAuth,
  peekOAuth,
  refreshOAuth,
  revokeOAuth,
  endOAuth,
  consented,
  rememberConsent,
  authorizeProxy,
  authorizeMethod,
  localRecords,
  signAppViewRead,
  ...securityCalls,
  ...passkeyLinkCalls,
  ...ownershipCalls,
  ...recoveryCalls,
  ...adminCalls
}

/** What the internal methods need: everything that lives in an account's object. */
type Needs = Effect.Services<ReturnType<(typeof calls)[keyof typeof calls]>>

/** Runs an internal method of an account's object; a failure is told as it will go over the wire. */
export const call = <K extends keyof AccountCalls>(
  method: K,
  input: AccountCalls[K]["input"]
): Effect.Effect<AccountCalls[K]["output"], Rejected, Needs> => {
  // SAFETY: the table holds, for each method, the function from its input to its output.
  const run = calls[method] as unknown as (
    input: AccountCalls[K]["input"]
  ) => Effect.Effect<AccountCalls[K]["output"], Failure, Needs>
  return Effect.mapError(run(input), (failure) => new Rejected(wireError(failure)))
}
