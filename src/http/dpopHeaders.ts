import * as Effect from "effect/Effect"
import { parseAuthorization } from "../auth/authorization.ts"
import { DpopProofs } from "../services/DpopProofs.ts"
import { privateHeaders } from "./responseHeaders.ts"

/**
 * What every answer to an app's credentials carries, whatever it says: the nonce for the next proof.
 *
 * Spec: RFC 9449, section 9.
 */
export const dpopHeaders = Effect.fnUntraced(function* ({ headers }: Request) {
  const presented = parseAuthorization(headers.get("authorization") ?? undefined)
  if (presented?.scheme !== "dpop") return {}
  return { ...privateHeaders, "dpop-nonce": yield* (yield* DpopProofs).nonce }
})
