import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Curve } from "../../core/identity/didKey.ts"

/** A private key that can sign. */
export interface SignerShape {
  readonly curve: Curve
  /** The public key as a did:key. */
  readonly didKey: string
  /** Signs the SHA-256 of bytes: 64 bytes `r ‖ s`, low S. */
  sign(bytes: Uint8Array): Effect.Effect<Uint8Array>
  /** The same without waiting; undefined while the key isn't ready, and for a P-256 key. */
  readonly signNow?: ((bytes: Uint8Array) => Uint8Array) | undefined
}

/** Signs with one key: an account's commits and tokens, or the host's PLC operations. */
export class Signer extends Context.Service<Signer, SignerShape>()("nacre/services/Signer") {}
