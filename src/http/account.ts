import * as Effect from "effect/Effect"
import { Config } from "../services/host/Config.ts"
import { actorMethods } from "./accounts/preferences.ts"
import { changeMethods } from "./accounts/changes.ts"
import { emailMethods } from "./mail/methods.ts"
import { identityMethods } from "./identity/accountMethods.ts"
import { inviteMethods } from "./accounts/accountInvites.ts"
import { repoReadMethods } from "./repo/readMethods.ts"
import { repoWriteMethods } from "./repo/writeMethods.ts"
import { serverMethods } from "./sessions/accountMethods.ts"
import { syncMethods } from "./repo/syncMethods.ts"
import { failures } from "./errors.ts"
import { finishBody } from "./unreadBody.ts"
import { serve, table } from "./Xrpc.ts"

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

/** What runs in an account's object. */
export const accountApp = { serve: serveAccount, failures }
