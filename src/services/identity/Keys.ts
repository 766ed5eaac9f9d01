import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type Curve, formatDidKey, publicKeyOf } from "../../core/identity/didKey.ts"
import type { SignerShape } from "./Signer.ts"
import type { Settings } from "../host/Config.ts"

/** A stored key cannot be opened: another master key, another owner, or damage. */
export class KeyUnreadable extends Schema.TaggedError<KeyUnreadable>()("KeyUnreadable", {
  owner: Schema.String
}) {}

/** A private key in the clear, 32 bytes, on its way between its making and its wrapping. */
export interface PrivateKey {
  readonly curve: Curve
  readonly didKey: string
  readonly secret: Redacted.Redacted<Uint8Array>
}

/**
 * Makes private keys and keeps them under the master key.
 *
 * `owner` (the DID; for a reserved key its own did:key) is bound into the wrapping: a wrapped key moved to another owner does not open.
 */
export class Keys extends Context.Service<
  Keys,
  {
    generate(curve: Curve): Effect.Effect<PrivateKey>
    /** Encrypts a key for storage; the same key wraps to different bytes each time. */
    wrap(owner: string, key: PrivateKey): Effect.Effect<Uint8Array<ArrayBuffer>>
    unwrap(owner: string, wrapped: Uint8Array): Effect.Effect<PrivateKey, KeyUnreadable>
    signer(key: PrivateKey): Effect.Effect<SignerShape>
  }
>()("nacre/services/Keys") {}

/** The host's own key among the rotation keys of did:plc accounts. */
export const rotationKey = ({ plcRotationKey }: Settings): PrivateKey => ({
  curve: "k256",
  didKey: formatDidKey(publicKeyOf("k256", Redacted.value(plcRotationKey))),
  secret: plcRotationKey
})
