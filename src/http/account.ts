import * as Effect from "effect/Effect"
import { deleteWhenDue, deleteWhenLost } from "../services/AccountDeletion.ts"
import { AccountStore } from "../services/AccountStore.ts"
import { Alarm } from "../services/Alarm.ts"
import { graceMillis, sweepBlobs } from "../services/BlobSweep.ts"
import { Config } from "../services/Config.ts"
import { Outbox } from "../services/Outbox.ts"
import { RepoImport } from "../services/RepoImport.ts"
import { sweepSessions } from "../services/SessionSweep.ts"
import { announceLate } from "./calls/signUp.ts"
import { actorMethods } from "./xrpc/account/actor.ts"
import { changeMethods } from "./xrpc/account/change.ts"
import { emailMethods } from "./xrpc/account/email.ts"
import { identityMethods } from "./xrpc/account/identity.ts"
import { inviteMethods } from "./xrpc/account/invites.ts"
import { repoReadMethods } from "./xrpc/account/records.ts"
import { repoWriteMethods } from "./xrpc/account/repo.ts"
import { serverMethods } from "./xrpc/account/server.ts"
import { syncMethods } from "./xrpc/account/sync.ts"
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
  yield* announceLate
  yield* (yield* Outbox).deliver
  yield* (yield* RepoImport).sweep
  const next = yield* sweepBlobs(yield* graceMillis)
  if (next !== undefined) yield* (yield* Alarm).by(next)
  yield* sweepSessions
  yield* deleteWhenLost
  yield* deleteWhenDue
})
