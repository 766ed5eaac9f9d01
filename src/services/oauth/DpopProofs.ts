import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Proof, proofErrors } from "../../core/oauth/dpop.ts"

/** The DPoP proof is not taken; `error` is the name on the wire, and `reason` holds nothing of the proof. */
export class BadProof extends Schema.TaggedError<BadProof>()("BadProof", {
  error: Schema.Literals(proofErrors),
  reason: Schema.String
}) {}

/** A request that came with a proof. */
export interface ProvenRequest {
  /** The `DPoP` header. */
  readonly proof: string | undefined
  readonly method: string
  /** As the request has it, whole or from its path on: the path is taken, the origin is this server's. */
  readonly url: string
  /** The access token that the proof must be for. */
  readonly accessToken?: string
}

/**
 * Judges DPoP proofs, the same in the Worker and in every account's object: nonces follow from the master key.
 *
 * That a proof is used once is for the caller to see to, by `jkt` and `jti`, until `expires`.
 */
export class DpopProofs extends Context.Service<
  DpopProofs,
  {
    check(request: ProvenRequest): Effect.Effect<Proof, BadProof>
    /** The nonce to give out with an answer. */
    readonly nonce: Effect.Effect<string>
  }
>()("nacre/services/DpopProofs") {}
