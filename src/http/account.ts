import * as Effect from "effect/Effect"
import { deleteWhenDue, deleteWhenLost } from "../services/accounts/AccountDeletion.ts"
import { AccountStore } from "../services/accounts/AccountStore.ts"
import { Alarm } from "../services/host/Alarm.ts"
import { graceMillis, sweepBlobs } from "../services/blobs/BlobSweep.ts"
import { Config } from "../services/host/Config.ts"
import { Outbox } from "../services/stream/Outbox.ts"
import { RepoImport } from "../services/repo/RepoImport.ts"
import { settleSignUp } from "../services/accounts/signUp/SignUpEnd.ts"
import { sweepSessions } from "../services/sessions/SessionSweep.ts"
import { actorMethods } from "./accounts/preferences.ts"
import { changeMethods } from "./accounts/changes.ts"
import { emailMethods } from "./mail/methods.ts"
import { identityMethods } from "./identity/accountMethods.ts"
import { inviteMethods } from "./accounts/accountInvites.ts"
import { repoReadMethods } from "./repo/readMethods.ts"
import { repoWriteMethods } from "./repo/writeMethods.ts"
import { serverMethods } from "./sessions/accountMethods.ts"
import { syncMethods } from "./repo/syncMethods.ts"
import { finishBody } from "./unreadBody.ts"
import { serve, table } from "./Xrpc.ts"

export { call } from "./accountCalls.ts"

/** The methods that run in an account's object. */
export const accountMethods = table(
  repoWriteMethods,
  repoReadMethods,
  syncMethods,
  serverMethods,
  emailMethods,
  changeMethods,
  identityMethods,
  actorMethods,
  inviteMethods
)

/** Answers an XRPC request to the account in this object. */
export const serveAccount = Effect.fnUntraced(function* (request: Request) {
  const { jsonLimit } = yield* Config
  const answer = yield* serve(accountMethods, { jsonLimit }, request, new URL(request.url))
  yield* finishBody(request)
  return answer
})

/** What the object's alarm does: deliver the outbox, sweep blobs and sessions, delete an account that is due or was waited for in vain; each asks for its next ring. */
export const ring = Effect.gen(function* () {
  // An object that was emptied has no tables to look into.
  if ((yield* AccountStore).peek() === undefined) return
  yield* settleSignUp
  if ((yield* AccountStore).peek() === undefined) return
  yield* (yield* Outbox).deliver
  yield* (yield* RepoImport).sweep
  const next = yield* sweepBlobs(yield* graceMillis)
  if (next !== undefined) yield* (yield* Alarm).by(next)
  yield* sweepSessions
  yield* deleteWhenLost
  yield* deleteWhenDue
})
