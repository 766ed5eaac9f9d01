import * as Effect from "effect/Effect"
import { proveKey } from "../../services/oauth/provenKey.ts"
import { revokeToken } from "../../services/oauth/revokeToken.ts"
import { answer, endpoint, logRefusal, shownIn } from "./endpoint.ts"
import { type OAuthFailure, oauthError } from "./errors.ts"

const quiet: ReadonlySet<string> = new Set([
  "invalid_client",
  "invalid_client_metadata",
  "invalid_grant"
])

/** Whether there is nothing that the client could do about a failure. */
const isFinal = (failure: OAuthFailure): boolean => quiet.has(oauthError(failure).error)

/**
 * `/oauth/revoke`: a client gives a token back.
 *
 * A proof is looked at where one comes along: an assertion may be tied to its key. Whoever is turned away for what
 * they are or hold gets the same answer as all others: there is nothing that they could do about it.
 * Spec: RFC 7009.
 */
export const revoke = endpoint(
  "revoke",
  Effect.fnUntraced(function* ({ form, request }) {
    const shown = shownIn(request)
    const jkt = shown.proof === undefined ? undefined : yield* proveKey(shown)
    yield* revokeToken(form, jkt).pipe(
      Effect.catchIf(isFinal, (failure) => logRefusal("revoke", form, failure))
    )
    return answer({})
  })
)
