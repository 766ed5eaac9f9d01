import * as Effect from "effect/Effect"
import { isPrivileged, isProtected } from "../../core/sessions/methods.ts"
import type { Permission } from "../../core/oauth/types.ts"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { Auth, Denied } from "../../services/sessions/Auth.ts"
import type { Authority } from "../../services/sessions/Authority.ts"
import { Repo } from "../../services/repo/Repo.ts"
import { ServiceTokens } from "../../services/sessions/ServiceTokens.ts"
import { Signer } from "../../services/identity/Signer.ts"
import { isReport } from "./rules.ts"

/** Who may have a method called elsewhere: sessions of an active account; a report may also be its appeal against a takedown. */
const authorityFor = (lxm: string, needs: ReadonlyArray<Permission>): Authority => ({
  kind: "session",
  level: isPrivileged(lxm) ? "privileged" : "standard",
  oauth: () => needs,
  active: true,
  ...(isReport(lxm) ? { takendown: true } : {})
})

/**
 * Judges who wants a method called at another service in their name, and makes the service token for it.
 *
 * An app needs the permission for the method that it calls, and for the one that the token is good for.
 */
export const authorizeProxy = Effect.fnUntraced(function* (
  input: AccountCalls["authorizeProxy"]["input"]
) {
  const { lxm, aud, tokenAud, tokenLxm = lxm } = input
  const methods = lxm === tokenLxm ? [lxm] : [lxm, tokenLxm]
  if (methods.some(isProtected)) {
    return yield* new Denied({ error: "InvalidToken", message: "Bad token method" })
  }
  const needs = methods.map((method): Permission => ({ resource: "rpc", lxm: method, aud }))
  const auth = yield* Auth
  const caller = yield* auth.authenticate(input, authorityFor(lxm, needs), lxm)
  yield* auth.permit(caller, needs)
  const { did } = yield* (yield* AccountStore).get
  const { rev } = yield* (yield* Repo).head
  const tokens = yield* ServiceTokens
  const token = yield* tokens.create(yield* Signer, { iss: did, aud: tokenAud, lxm: tokenLxm })
  return { did, token, rev }
})
