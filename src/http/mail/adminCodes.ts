import * as Effect from "effect/Effect"
import { queryValue } from "../../core/lexicon/params.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"
import { noteAccount, noteAct } from "../CurrentRequest.ts"
import { accountBehind } from "../sessions/signInGate.ts"

/**
 * `/admin/codes?account=`: an account's pending codes, for the administrator of a host without
 * mail; `account` is a handle, an email address or a DID.
 */
export const adminCodes = Effect.fn("http.adminCodes")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/codes")
  const entry = yield* accountBehind(queryValue(url.searchParams, "account") ?? "")
  if (entry === undefined) return yield* new InvalidRequest({ message: "No such account" })
  yield* noteAccount(entry.did)
  yield* noteAct({ subject: entry.did })
  const codes = yield* (yield* Accounts).call(entry.did, "pendingCodes")
  return ownAnswer({ did: entry.did, codes })
})
