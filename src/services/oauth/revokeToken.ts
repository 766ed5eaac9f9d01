import * as Effect from "effect/Effect"
import { parseJwt } from "../../auth/jwt.ts"
import { isDid } from "../../lexicon/syntax.ts"
import type { Form } from "../../oauth/parameters.ts"
import { readRefreshToken } from "../../oauth/refreshToken.ts"
import { Accounts } from "../Accounts.ts"
import { authenticateClient } from "./clientAuthentication.ts"
import { RequestRefused } from "./failures.ts"

/** Whose a token is, and which client's; the account's object knows whether it is genuine. */
const holderOf = Effect.fnUntraced(function* (token: string) {
  const refresh = readRefreshToken(token)
  if (refresh !== undefined) {
    const { did } = refresh
    const accounts = yield* Accounts
    const { clientId } = yield* accounts.call(did, "peekOAuth", { refreshToken: token })
    return { did, clientId }
  }
  const { sub, client_id: clientId } = parseJwt(token)?.claims ?? {}
  return typeof sub === "string" && isDid(sub) ? { did: sub, clientId } : undefined
})

/**
 * Ends the session of an access or refresh token, for the client that holds it.
 *
 * A token that is unknown, or another client's, changes nothing. Spec: RFC 7009.
 */
export const revokeToken = Effect.fn("revokeToken")(function* (
  form: Form,
  dpopJkt: string | undefined
) {
  const token = form.get("token")
  if (token === undefined) {
    return yield* new RequestRefused({ error: "invalid_request", reason: "token is missing" })
  }
  const { client } = yield* authenticateClient(form, dpopJkt)
  const holder = yield* holderOf(token)
  if (holder === undefined || holder.clientId !== client.id) return
  yield* (yield* Accounts).call(holder.did, "revokeOAuth", { token })
})
