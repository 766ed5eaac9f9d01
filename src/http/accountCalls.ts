import * as Effect from "effect/Effect"
import type { AccountCalls } from "../services/AccountCalls.ts"
import { AccountEvents } from "../services/AccountEvents.ts"
import { Rejected } from "../services/Accounts.ts"
import { adminCalls } from "./calls/admin.ts"
import { authorizeUpload, locateBlob, recordUpload } from "./calls/blobs.ts"
import { authorizeImport, importRepo } from "./calls/importRepo.ts"
import { localRecords, signAppViewRead } from "./calls/localRecords.ts"
import {
  consented,
  endOAuth,
  openOAuth,
  peekOAuth,
  refreshOAuth,
  rememberConsent,
  revokeOAuth
} from "./calls/oauth.ts"
import { passkeyLinkCalls } from "./calls/passkeyLinks.ts"
import { authorizeProxy } from "./calls/proxy.ts"
import { ownershipCalls } from "./calls/ownership.ts"
import { recoveryCalls } from "./calls/recovery.ts"
import { securityCalls } from "./calls/security.ts"
import { create, destroy, summary } from "./calls/signUp.ts"
import { wireError } from "./errors.ts"
import type { Failure } from "./failures.ts"

const calls = {
  create,
  announce: () => Effect.flatMap(AccountEvents, (events) => events.signUp),
  destroy: () => destroy,
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
