import * as Effect from "effect/Effect"
import { DpopProofs } from "../../services/oauth/DpopProofs.ts"
import { privateHeaders } from "../responses.ts"

/**
 * The nonce for the next proof, sent with every response to an app's credentials.
 *
 * Spec: RFC 9449, section 9.
 */
export const dpopHeaders = Effect.fnUntraced(function* (answer: Response) {
  // The account's object may require its own nonce after it slept.
  const asked = answer.headers.get("dpop-nonce") ?? undefined
  return { ...privateHeaders, "dpop-nonce": asked ?? (yield* (yield* DpopProofs).nonce) }
})

/** Makes a response with an app's nonce uncacheable, because it is for that app only. */
export const forAppAlone = (
  response: Response,
  headers: Readonly<Record<string, string>>
): Response => {
  if (!("dpop-nonce" in headers)) return response
  const isPublic = response.headers.get("cache-control")?.startsWith("public") === true
  if (isPublic) response.headers.delete("cache-control")
  return response
}
