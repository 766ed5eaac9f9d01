import * as Effect from "effect/Effect"
import { parseJwt } from "../../core/sessions/jwt.ts"
import { isDid } from "../../core/lexicon/syntax.ts"
import type { Form } from "../../core/oauth/parameters.ts"
import { readRefreshToken } from "../../core/oauth/refreshToken.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { KnownAccounts } from "../accounts/KnownAccounts.ts"
import { AdoptedTokens } from "./AdoptedTokens.ts"
import { authenticateClient } from "./clientAuthentication.ts"
import { RequestRefused } from "./failures.ts"

/** The account in a token; its object verifies the token and its client. */
const accountOf = (token: string): string | undefined => {
  const refresh = readRefreshToken(token)
  if (refresh !== undefined) return refresh.did
  const sub = parseJwt(token)?.claims["sub"]
  return typeof sub === "string" && isDid(sub) ? sub : undefined
}

/**
 * Ends the session of an access or refresh token, for its client.
 *
 * Ignores an unknown token and another client's. Spec: RFC 7009.
 */
export const revokeToken = Effect.fn("revokeToken")(function* (
  form: Form,
  dpopJkt: string | undefined
) {
  const given = form.get("token")
  if (given === undefined) {
    return yield* new RequestRefused({ error: "invalid_request", reason: "token is missing" })
  }
  const { client } = yield* authenticateClient(form, dpopJkt)
  const token = yield* (yield* AdoptedTokens).ownForm(given)
  const did = accountOf(token)
  if (did === undefined) return
  const { isHere } = yield* (yield* KnownAccounts).look(did, { fresh: true })
  if (!isHere) return
  yield* (yield* Accounts).call(did, "revokeOAuth", { token, clientId: client.id })
})
