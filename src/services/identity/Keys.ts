import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type Curve, formatDidKey, publicKeyOf } from "../../core/identity/didKey.ts"
import type { SignerShape } from "./Signer.ts"
import type { Settings } from "../host/Config.ts"

/** A stored key cannot be unwrapped: another master key, another owner, or damage. */
export class KeyUnreadable extends Schema.TaggedError<KeyUnreadable>()("KeyUnreadable", {
  owner: Schema.String
}) {}

/** An unencrypted private key of 32 bytes, between its creation and its wrapping. */
export interface PrivateKey {
  readonly curve: Curve
  readonly didKey: string
  readonly secret: Redacted.Redacted<Uint8Array>
}

/**
 * Creates private keys and wraps them with the master key.
 *
 * The wrapping authenticates `owner` (the DID; for a reserved key its own did:key): a wrapped key
 * copied to another owner does not unwrap.
 */
export class Keys extends Context.Service<
  Keys,
  {
    generate(curve: Curve): Effect.Effect<PrivateKey>
    /** Encrypts a key for storage; the same key wraps to different bytes each time. */
    wrap(owner: string, key: PrivateKey): Effect.Effect<Uint8Array<ArrayBuffer>>
    unwrap(owner: string, wrapped: Uint8Array): Effect.Effect<PrivateKey, KeyUnreadable>
    /** The key wrapped with the current master key; undefined if it is already. */
    rewrap(
      owner: string,
      wrapped: Uint8Array
    ): Effect.Effect<Uint8Array<ArrayBuffer> | undefined, KeyUnreadable>
    signer(key: PrivateKey): Effect.Effect<SignerShape>
  }
>()("nacre/services/Keys") {}

const k256Key = (secret: PrivateKey["secret"]): PrivateKey => ({
  curve: "k256",
  didKey: formatDidKey(publicKeyOf("k256", Redacted.value(secret))),
  secret
})

/** The host's own key among the rotation keys of did:plc accounts. */
export const rotationKey = ({ plcRotationKey }: Settings): PrivateKey => k256Key(plcRotationKey)

/** The host's keys: the current one, and the one before while a rotation replaces it. */
export const rotationKeys = (settings: Settings): ReadonlyArray<PrivateKey> => {
  const { plcRotationKeyPrevious: previous } = settings
  return [rotationKey(settings), ...(previous === undefined ? [] : [k256Key(previous)])]
}

/** The host's key that may change a DID with these rotation keys. */
export const hostKeyAmong = (
  settings: Settings,
  keys: ReadonlyArray<string>
): PrivateKey | undefined => rotationKeys(settings).find(({ didKey }) => keys.includes(didKey))
