import * as Effect from "effect/Effect"
import { queryValue } from "../../core/lexicon/params.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { ownAnswer, ownerOrAdministrator } from "../limits/ownEndpoint.ts"

/** The codes that an account's owner may see, where no mail goes out. */
export const codesFor = Effect.fnUntraced(function* (did: string) {
  const codes = yield* (yield* Accounts).call(did, "pendingCodes")
  // Who has forgotten the password is somebody else than who has just shown it.
  return codes.filter(({ purpose }) => purpose !== "reset_password")
})

/**
 * `GET /manage/codes`: the mailed codes of an account that wait to be used, where the host sends no mail; for its owner
 * (by a session that has just begun) or the administrator.
 */
export const listCodes = Effect.fn("http.listCodes")(function* (request: Request, url: URL) {
  const account = queryValue(url.searchParams, "account")
  const { did, handle } = yield* ownerOrAdministrator(request, "manage/codes", account)
  return ownAnswer({ did, handle, codes: yield* codesFor(did) })
})
