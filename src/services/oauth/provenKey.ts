import * as Clock from "effect/Clock"
import * as Soon from "../host/Soon.ts"
import { BadProof, DpopProofs } from "./DpopProofs.ts"
import { useOnce } from "./once.ts"
import { spanned } from "../operators/spanned.ts"

/** A DPoP proof and its request. */
export interface Shown {
  readonly proof: string | undefined
  readonly method: string
  readonly url: string
}

/**
 * The thumbprint of the key that signed a request; uses up the proof.
 *
 * Spec: RFC 9449 4.3, 11.1.
 */
export const proveKey = spanned("proveKey")(function* (shown: Shown) {
  const checked = (yield* DpopProofs).check(shown, yield* Clock.currentTimeMillis)
  const { jkt, jti, expires } = yield* Soon.toEffect(checked)
  if (yield* useOnce("dpop", [jkt, jti], expires)) return jkt
  return yield* new BadProof({
    error: "invalid_dpop_proof",
    reason: "the proof's jti was used before"
  })
})
