import * as Effect from "effect/Effect"
import { checkParameters, type Form } from "../../core/oauth/parameters.ts"
import { checkScope } from "../../core/oauth/scopes.ts"
import type { OAuthErrorName } from "../../core/oauth/types.ts"
import { BadProof } from "./DpopProofs.ts"
import { OAuthRequests } from "./OAuthRequests.ts"
import { authenticateClient } from "./clientAuthentication.ts"
import { isRequestError, RequestRefused } from "./failures.ts"
import { findSets } from "./expandScope.ts"

/**
 * Maximum size of a stored request as JSON, in bytes: has room for a scope of 16,384 characters.
 */
const maxRequestBytes = 24 * 1024

const bytesOf = (value: object): number =>
  new TextEncoder().encode(JSON.stringify(value)).byteLength

const refused = (error: RequestRefused["error"], reason: string) =>
  new RequestRefused({ error, reason })

/**
 * Errors of the user's response are not reported before the user was asked (RFC 9126, section 2.3).
 */
const errorAtPush = (error: OAuthErrorName): RequestRefused["error"] =>
  isRequestError(error) ? error : "invalid_request"

/**
 * Stores a client's valid request for its user.
 *
 * `jkt` is the thumbprint of the DPoP key: the result is only valid with this key. Spec: RFC 9126;
 * RFC 9449 10.1; the atproto OAuth profile.
 */
export const pushRequest = Effect.fn("pushRequest")(function* (form: Form, jkt: string) {
  const { client, clientAuth } = yield* authenticateClient(form, jkt)
  if ((form.get("dpop_jkt") ?? jkt) !== jkt) {
    const reason = "dpop_jkt is not the thumbprint of the proof's key"
    return yield* new BadProof({ error: "invalid_dpop_proof", reason })
  }
  const asked = yield* Effect.mapError(
    Effect.fromResult(checkParameters(client, form)),
    ({ error, reason }) => refused(errorAtPush(error), reason)
  )
  const scope = yield* Effect.mapError(
    Effect.fromResult(checkScope(asked.scope, client)),
    (reason) => refused("invalid_scope", reason)
  )
  const parameters = { ...asked, scope }
  if (bytesOf({ parameters, clientAuth }) > maxRequestBytes) {
    return yield* refused("invalid_request", "The request is too large")
  }
  yield* findSets(parameters.scope)
  return yield* (yield* OAuthRequests).push({ parameters, clientAuth, jkt })
})
