import * as Effect from "effect/Effect"
import { parseAuthorization } from "../../core/sessions/authorization.ts"
import { DpopProofs } from "../../services/oauth/DpopProofs.ts"
import { privateHeaders } from "../responses.ts"

/**
 * What every answer to an app's credentials carries, whatever it says: the nonce for the next proof.
 *
 * Spec: RFC 9449, section 9.
 */
export const dpopHeaders = Effect.fnUntraced(function* ({ headers }: Request, answer: Response) {
  const presented = parseAuthorization(headers.get("authorization") ?? undefined)
  if (presented?.scheme !== "dpop") return {}
  // An account's object that has slept may ask for a nonce of its own.
  const asked = answer.headers.get("dpop-nonce") ?? undefined
  return { ...privateHeaders, "dpop-nonce": asked ?? (yield* (yield* DpopProofs).nonce) }
})

/** Takes back what lets caches keep an answer: with an app's nonce in it, it is for that app alone. */
export const forAppAlone = (
  response: Response,
  headers: Readonly<Record<string, string>>
): Response => {
  const isPublic = response.headers.get("cache-control")?.startsWith("public") === true
  if ("dpop-nonce" in headers && isPublic) response.headers.delete("cache-control")
  return response
}
