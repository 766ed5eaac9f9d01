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

/** Whether the client could do nothing about a failure. */
const isFinal = (failure: OAuthFailure): boolean => quiet.has(oauthError(failure).error)

/**
 * `/oauth/revoke`: a client revokes a token.
 *
 * Uses a proof if there is one, because an assertion may be bound to its key. A rejected client or
 * token gets the same response as any other, because the client could do nothing about it. Spec:
 * RFC 7009.
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
