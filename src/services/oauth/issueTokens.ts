import * as Effect from "effect/Effect"
import type { Form } from "../../core/oauth/parameters.ts"
import { OAuthClients } from "./OAuthClients.ts"
import { authenticateClient } from "./clientAuthentication.ts"
import { exchangeCode } from "./exchangeCode.ts"
import { type ClientUnproven, RequestRefused } from "./failures.ts"
import { endWithoutKey, refreshTokens } from "./refreshTokens.ts"
import { spanned } from "../operators/spanned.ts"

const grants = { authorization_code: exchangeCode, refresh_token: refreshTokens } as const

const isGrant = (type: string): type is keyof typeof grants => Object.hasOwn(grants, type)

const grantIn = Effect.fnUntraced(function* (form: Form) {
  const type = form.get("grant_type")
  if (type === undefined) {
    return yield* new RequestRefused({ error: "invalid_request", reason: "grant_type is missing" })
  }
  if (isGrant(type)) return type
  return yield* new RequestRefused({
    error: "unsupported_grant_type",
    reason: "grant_type must be authorization_code or refresh_token"
  })
})

/** A client that signs with a withdrawn key loses the session bound to that key. */
const withdraw = Effect.fnUntraced(function* (form: Form, failure: ClientUnproven, jkt: string) {
  if (failure.fault !== "unknown key") return
  yield* endWithoutKey(form, yield* (yield* OAuthClients).get(failure.clientId), jkt)
})

/**
 * The token endpoint: exchanges a code or a refresh token for tokens.
 *
 * Spec: RFC 6749 4.1.3 and 6.
 */
export const issueTokens = spanned("issueTokens")(function* (form: Form, jkt: string) {
  const grant = yield* grantIn(form)
  const { client, clientAuth } = yield* authenticateClient(form, jkt).pipe(
    Effect.tapErrorTag("ClientUnproven", (failure) =>
      grant === "refresh_token" ? withdraw(form, failure, jkt) : Effect.void
    )
  )
  if (!client.grantTypes.includes(grant)) {
    const reason = `The client's metadata does not declare the grant type ${grant}`
    return yield* new RequestRefused({ error: "unauthorized_client", reason })
  }
  return yield* grants[grant](form, { client, clientAuth, jkt })
})
