import * as Effect from "effect/Effect"
import { queryValue } from "../../core/lexicon/params.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { ownAnswer, ownerOrAdministrator } from "../limits/ownEndpoint.ts"

/** The codes that an account's owner may see on a host without mail. */
export const codesFor = Effect.fnUntraced(function* (did: string) {
  const codes = yield* (yield* Accounts).call(did, "pendingCodes")
  // Somebody who has just entered the password hasn't forgotten it. A second factor that a session
  // can read is none.
  return codes.filter(({ purpose }) => purpose !== "reset_password" && purpose !== "auth_factor")
})

/**
 * `GET /manage/codes`: an account's pending codes on a host without mail, for its owner (with a
 * recent session) or the administrator.
 */
export const listCodes = Effect.fn("http.listCodes")(function* (request: Request, url: URL) {
  const account = queryValue(url.searchParams, "account")
  const { did, handle } = yield* ownerOrAdministrator(request, "manage/codes", account)
  return ownAnswer({ did, handle, codes: yield* codesFor(did) })
})
