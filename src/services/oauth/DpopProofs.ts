import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import { type Proof, proofErrors } from "../../core/oauth/dpop.ts"
import type { Soon } from "../host/Soon.ts"

/**
 * The DPoP proof is invalid; `error` is the name in the response, and `reason` contains nothing of
 * the proof.
 */
export class BadProof extends Schema.TaggedError<BadProof>()("BadProof", {
  error: Schema.Literals(proofErrors),
  reason: Schema.String
}) {}

/** A request and its proof. */
export interface ProvenRequest {
  /** The `DPoP` header. */
  readonly proof: string | undefined
  readonly method: string
  /**
   * The request's URL, complete or from its path on: only the path counts, the origin is this
   * server's.
   */
  readonly url: string
  /** The access token that the proof must match. */
  readonly accessToken?: string
}

/**
 * Checks DPoP proofs, consistently in the Worker and every account's object: nonces derive from the
 * master key.
 *
 * The caller must ensure single use, by `jkt` and `jti`, until `expires`.
 */
export class DpopProofs extends Context.Service<
  DpopProofs,
  {
    /** At once for most requests; see `checkProof`. Times are in milliseconds. */
    check(request: ProvenRequest, now: number): Soon<Proof, BadProof>
    /** The nonce to send with a response. */
    nonce(now: number): string
  }
>()("nacre/services/DpopProofs") {}
