import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import {
  type Curve,
  formatDidKey,
  generatePrivateKey,
  publicKeyOf
} from "../../core/identity/didKey.ts"
import { hkdf, type MasterKeys, masterKeysOf } from "../../services/host/derivedSecrets.ts"
import { Keys, KeyUnreadable, type PrivateKey } from "../../services/identity/Keys.ts"
import { openUnder, sealUnder } from "../../services/host/sealedSecrets.ts"
import * as SignerKeys from "./SignerKeys.ts"

/**
 * A wrapped key: this version, the curve, a nonce of 12 bytes, then AES-256-GCM of the 32 bytes
 * with its tag of 16.
 */
const version = 1
const headerLength = 2
const wrappedLength = headerLength + 12 + 32 + 16

const curves = ["k256", "p256"] as const

// The public key is derived on demand, so an object that wakes to sign doesn't pay for it.
const privateKey = (curve: Curve, secret: Uint8Array): PrivateKey => ({
  curve,
  get didKey() {
    return formatDidKey(publicKeyOf(curve, secret))
  },
  secret: Redacted.make(secret, { label: "private key" })
})

const make = (masterKeys: MasterKeys): Keys["Service"] => {
  const wrappingKey = (master: Redacted.Redacted<Uint8Array>) => hkdf(master, "account-key/1")

  /** Without waiting, so an object that wakes to sign does it in one turn. */
  const unwrap = (
    master: Redacted.Redacted<Uint8Array>,
    owner: string,
    wrapped: Uint8Array
  ): Effect.Effect<PrivateKey, KeyUnreadable> =>
    Effect.suspend(() => {
      const curve = curves[wrapped[1] ?? -1]
      const isWrapped = wrapped.length === wrappedLength && wrapped[0] === version
      const secret = isWrapped
        ? openUnder(wrappingKey(master), owner, wrapped, headerLength)
        : undefined
      return curve === undefined || secret === undefined
        ? Effect.fail(new KeyUnreadable({ owner }))
        : Effect.succeed(privateKey(curve, secret))
    })

  const wrap = Effect.fn("Keys.wrap")((owner: string, { curve, secret }: PrivateKey) => {
    const header = new Uint8Array([version, curves.indexOf(curve)])
    return sealUnder(wrappingKey(masterKeys.masterKey), owner, Redacted.value(secret), header)
  })

  return Keys.of({
    generate: (curve) => Effect.sync(() => privateKey(curve, generatePrivateKey(curve))),
    wrap,
    unwrap: Effect.fn("Keys.unwrap")((owner, wrapped) =>
      Effect.firstSuccessOf(
        masterKeysOf(masterKeys).map((master) => unwrap(master, owner, wrapped))
      )
    ),
    rewrap: Effect.fn("Keys.rewrap")(function* (owner, wrapped) {
      const { masterKey, masterKeyPrevious } = masterKeys
      const isCurrent = yield* Effect.match(unwrap(masterKey, owner, wrapped), {
        onSuccess: () => true,
        onFailure: () => false
      })
      if (isCurrent) return undefined
      if (masterKeyPrevious === undefined) return yield* new KeyUnreadable({ owner })
      return yield* wrap(owner, yield* unwrap(masterKeyPrevious, owner, wrapped))
    }),
    signer: ({ curve, secret }) => SignerKeys.fromPrivateKey(curve, secret)
  })
}

/**
 * Wraps keys with a master key of 32 bytes: AES-256-GCM with a key derived by HKDF-SHA-256. Unwraps
 * those under the previous master key too.
 */
export const layer = (keys: MasterKeys): Layer.Layer<Keys> =>
  Layer.sync(Keys, () => {
    if (masterKeysOf(keys).some((key) => Redacted.value(key).length !== 32)) {
      throw new TypeError("the master key is not 32 bytes")
    }
    return make(keys)
  })
