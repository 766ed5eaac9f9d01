import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { thumbprint } from "../../core/oauth/jwk.ts"
import type { Form } from "../../core/oauth/parameters.ts"
import { readRefreshToken } from "../../core/oauth/refreshToken.ts"
import { checkScope } from "../../core/oauth/scopes.ts"
import type { Client } from "../../core/oauth/types.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { KnownAccounts } from "../accounts/KnownAccounts.ts"
import { AdoptedTokens } from "./AdoptedTokens.ts"
import { OAuthClients } from "./OAuthClients.ts"
import type { OAuthSession } from "./OAuthSessions.ts"
import { isSameAuth } from "./clientAuthentication.ts"
import type { Bearer } from "./exchangeCode.ts"
import { GrantRefused, RequestRefused } from "./failures.ts"
import { expandAgain } from "./expandScope.ts"
import { tokenAnswer } from "./tokens.ts"
import { spanned } from "../operators/spanned.ts"

const refused = (fault: GrantRefused["fault"]) => new GrantRefused({ fault })

/** The session of a form's refresh token, without using it up. */
const sessionIn = Effect.fnUntraced(function* (form: Form, jkt: string) {
  const given = form.get("refresh_token")
  if (given === undefined) {
    return yield* new RequestRefused({
      error: "invalid_request",
      reason: "refresh_token is missing"
    })
  }
  const refreshToken = yield* (yield* AdoptedTokens).ownForm(given)
  const parts = readRefreshToken(refreshToken)
  if (parts === undefined) return yield* refused("unknown refresh token")
  const { isHere } = yield* (yield* KnownAccounts).look(parts.did, { fresh: true })
  if (!isHere) return yield* refused("unknown refresh token")
  const session = yield* (yield* Accounts).call(parts.did, "peekOAuth", { refreshToken, jkt })
  return { did: parts.did, refreshToken, session }
})

/**
 * Whether the client still publishes the key that a session is bound to; refetches before it says
 * no.
 */
const isKeyPublished = Effect.fnUntraced(function* (client: Client, jkt: string) {
  const clients = yield* OAuthClients
  for (const fresh of [false, true]) {
    const keys = yield* clients.keys(client, { fresh })
    const prints = yield* Effect.promise(() => Promise.all(keys.map(thumbprint)))
    if (prints.includes(jkt)) return true
  }
  return false
})

/**
 * Ends the session of a refresh token if the client has withdrawn the key it is bound to.
 *
 * Spec: the atproto OAuth profile, confidential clients.
 */
export const endWithoutKey = spanned("endWithoutKey")(function* (
  form: Form,
  client: Client,
  jkt: string
) {
  const { did, session } = yield* sessionIn(form, jkt)
  const { clientAuth, clientId, id } = session
  if (clientAuth.method === "none" || clientId !== client.id) return
  if (yield* isKeyPublished(client, clientAuth.jkt)) return
  yield* (yield* Accounts).call(did, "endOAuth", { session: id })
  return yield* refused("withdrawn client key")
})

const faultOf = (session: OAuthSession, bearer: Bearer): GrantRefused["fault"] | undefined => {
  if (session.clientId !== bearer.client.id) return "other client"
  if (!isSameAuth(session.clientAuth, bearer.clientAuth)) return "other client key"
  if (session.jkt !== bearer.jkt) return "other DPoP key"
  const scope = checkScope(session.scope, bearer.client)
  return Result.isSuccess(scope) ? undefined : "scope not declared"
}

/**
 * Uses a refresh token: new tokens for the session, with its current permission sets.
 *
 * Spec: RFC 6749 6; the atproto OAuth profile, confidential clients.
 */
export const refreshTokens = spanned("refreshTokens")(function* (form: Form, bearer: Bearer) {
  const { did, refreshToken, session } = yield* sessionIn(form, bearer.jkt)
  const fault = faultOf(session, bearer)
  if (fault === "other client key") yield* endWithoutKey(form, bearer.client, bearer.jkt)
  if (fault !== undefined) return yield* refused(fault)
  const granted = yield* expandAgain(session.scope)
  const use = { refreshToken, clientId: session.clientId, jkt: session.jkt, granted }
  return tokenAnswer(did, yield* (yield* Accounts).call(did, "refreshOAuth", use))
})
