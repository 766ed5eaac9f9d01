import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Form } from "../../core/oauth/parameters.ts"
import { verifies } from "../../core/oauth/pkce.ts"
import type { AuthorizationRequest, Client, ClientAuth } from "../../core/oauth/types.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { type CodeGrant, OAuthRequests } from "./OAuthRequests.ts"
import { isSameAuth } from "./clientAuthentication.ts"
import { GrantRefused, RequestRefused } from "./failures.ts"
import { useOnce } from "./once.ts"
import { expandScope } from "./expandScope.ts"
import { mayRefresh, tokenAnswer } from "./tokens.ts"

/** A client with a code or a refresh token: authenticated, with its DPoP key. */
export interface Bearer {
  readonly client: Client
  readonly clientAuth: ClientAuth
  readonly jkt: string
}

const refused = (fault: GrantRefused["fault"]) => new GrantRefused({ fault })

/** Why its bearer can't use a code: everything must match the pushed request. */
const faultOf = (
  grant: CodeGrant,
  bearer: Bearer,
  form: Form
): GrantRefused["fault"] | undefined => {
  const { parameters, clientAuth, jkt } = grant
  if (parameters.clientId !== bearer.client.id) return "other client"
  if (!isSameAuth(clientAuth, bearer.clientAuth)) return "other client key"
  if (jkt !== bearer.jkt) return "other DPoP key"
  if (parameters.redirectUri !== form.get("redirect_uri")) return "other redirect_uri"
  const verifier = form.get("code_verifier") ?? ""
  return verifies(verifier, parameters.codeChallenge) ? undefined : "wrong code_verifier"
}

/** How long a redeemed `code_challenge` can't be used again, in milliseconds: a day. */
const challengeMillis = 86_400_000

/**
 * Uses up a code's challenge after its verifier matched; a push alone doesn't, because clients
 * repeat it.
 */
const useChallenge = Effect.fnUntraced(function* ({
  clientId,
  codeChallenge
}: AuthorizationRequest) {
  const until = (yield* Clock.currentTimeMillis) + challengeMillis
  if (yield* useOnce("code_challenge", [clientId, codeChallenge], until)) return
  return yield* refused("used code_challenge")
})

/**
 * Opens the session of a code.
 *
 * Uses the code up before any other check, so a wrong attempt burns it. A replayed code ends the
 * session that it opened. Spec: RFC 6749 4.1.2 and 4.1.3, RFC 7636 4.6.
 */
export const exchangeCode = Effect.fn("exchangeCode")(function* (form: Form, bearer: Bearer) {
  const code = form.get("code")
  if (code === undefined) {
    return yield* new RequestRefused({ error: "invalid_request", reason: "code is missing" })
  }
  const accounts = yield* Accounts
  const redeemed = yield* (yield* OAuthRequests).redeem(code)
  if (redeemed.kind === "unknown") return yield* refused("unknown code")
  if (redeemed.kind === "replayed") {
    yield* accounts.call(redeemed.did, "endOAuth", { session: redeemed.session })
    return yield* refused("used code")
  }
  const { grant, agreedAt } = redeemed
  const fault = faultOf(grant, bearer, form)
  if (fault !== undefined) return yield* refused(fault)
  yield* useChallenge(grant.parameters)
  const { client, clientAuth, jkt } = bearer
  const { did, scope, device, session: id, from = {} } = grant
  const granted = yield* expandScope(scope)
  const refreshable = mayRefresh(client)
  const bound = { clientId: client.id, clientAuth, jkt }
  const session = { id, ...bound, scope, granted, device, refreshable, agreedAt, from }
  return tokenAnswer(did, yield* accounts.call(did, "openOAuth", session))
})
