import * as Effect from "effect/Effect"
import { parseAuthorization } from "../../core/sessions/authorization.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Auth } from "../../services/sessions/Auth.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { jsonType, privateHeaders } from "../responses.ts"
import { subjectOf } from "../accounts/accountOf.ts"
import { accountBehind } from "../sessions/signInGate.ts"
import { credentialsOf } from "../Xrpc.ts"

/** Turns away everybody but the administrator from a path of our own beside XRPC. */
export const forAdministrator = Effect.fnUntraced(function* (request: Request, name: string) {
  yield* (yield* Auth).authenticate(credentialsOf(request), { kind: "admin" }, name)
})

/**
 * Whose account such an address is asked about, and by whose authority: the administrator names the account, an owner
 * shows a session of the main password that has just begun.
 */
export const ownerOrAdministrator = Effect.fnUntraced(function* (
  request: Request,
  name: string,
  account: string | undefined
) {
  const credentials = credentialsOf(request)
  if (parseAuthorization(credentials.authorization)?.scheme === "basic") {
    yield* forAdministrator(request, name)
    const entry = yield* accountBehind(account ?? "")
    if (entry === undefined) return yield* new InvalidRequest({ message: "No such account" })
    yield* noteAccount(entry.did)
    return { did: entry.did, handle: entry.handle, by: "administrator" } as const
  }
  const did = yield* subjectOf(request)
  const { until } = yield* (yield* Accounts).call(did, "proveSession", credentials)
  yield* noteAccount(did)
  const entry = yield* (yield* Directory).byDid(did)
  return { did, handle: entry?.handle ?? did, by: "owner", until } as const
})

/** What such an address answers: JSON that nobody keeps. */
export const ownAnswer = (value: object): Response =>
  new Response(JSON.stringify(value), {
    headers: { ...privateHeaders, "cache-control": "no-store", "content-type": jsonType }
  })
