import * as Effect from "effect/Effect"
import { Accounts } from "../services/Accounts.ts"
import { Auth } from "../services/Auth.ts"
import { countRequest } from "./clientLimits.ts"
import { InvalidRequest } from "./failures.ts"
import { noteAccount } from "./requestLog.ts"
import { jsonType, privateHeaders } from "./responseHeaders.ts"
import { accountBehind } from "./signInGate.ts"
import { credentialsOf } from "./Xrpc.ts"

/**
 * `/admin/codes?account=`: the mailed codes of an account that wait to be used, for the administrator of a host that
 * sends no mail; `account` is a handle, an e-mail address or a DID.
 */
export const adminCodes = Effect.fn("http.adminCodes")(function* (request: Request, url: URL) {
  yield* countRequest(request, "")
  yield* (yield* Auth).authenticate(credentialsOf(request), { kind: "admin" }, "admin/codes")
  const entry = yield* accountBehind(url.searchParams.get("account") ?? "")
  if (entry === undefined) return yield* new InvalidRequest({ message: "No such account" })
  noteAccount(request, entry.did)
  const codes = yield* (yield* Accounts).call(entry.did, "pendingCodes", {})
  return new Response(JSON.stringify({ did: entry.did, codes }), {
    headers: { ...privateHeaders, "cache-control": "no-store", "content-type": jsonType }
  })
})
