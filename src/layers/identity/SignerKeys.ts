import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { toBase64Url } from "../../core/bytes/base64url.ts"
import {
  coordinatesOf,
  type Curve,
  formatDidKey,
  publicKeyOf,
  signBytes
} from "../../core/identity/didKey.ts"
import { Signer, type SignerShape } from "../../services/identity/Signer.ts"

/** A signer for a private key of 32 bytes; dies if they aren't a key of the curve. */
export const fromPrivateKey = Effect.fn("SignerKeys.fromPrivateKey")(function* (
  curve: Curve,
  secret: Redacted.Redacted<Uint8Array>
): Effect.fn.Return<SignerShape> {
  return curve === "k256" ? k256Signer(secret) : yield* p256Signer(secret)
})

/** A signer with one fixed key, for tests and the host's own PLC rotation key. */
export const layer = (curve: Curve, secret: Redacted.Redacted<Uint8Array>): Layer.Layer<Signer> =>
  Layer.effect(Signer, fromPrivateKey(curve, secret))

// workerd has no native K-256, so this is synchronous JavaScript.
const k256Signer = (secret: Redacted.Redacted<Uint8Array>): SignerShape => {
  const signNow = (bytes: Uint8Array) => signBytes("k256", Redacted.value(secret), bytes)
  return {
    curve: "k256",
    get didKey() {
      return formatDidKey(publicKeyOf("k256", Redacted.value(secret)))
    },
    sign: (bytes) => Effect.sync(() => signNow(bytes)),
    signNow
  }
}

// WebCrypto signs P-256 natively and ten times faster, but only asynchronously.
const p256Signer = Effect.fnUntraced(function* (
  secret: Redacted.Redacted<Uint8Array>
): Effect.fn.Return<SignerShape> {
  const publicKey = publicKeyOf("p256", Redacted.value(secret))
  const { x, y } = coordinatesOf(publicKey)
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
  const key = yield* Effect.promise(() =>
    crypto.subtle.importKey(
      "jwk",
      {
        kty: "EC",
        crv: "P-256",
        d: toBase64Url(Redacted.value(secret)),
        x: toBase64Url(x),
        y: toBase64Url(y)
      },
      algorithm,
      false,
      ["sign"]
    )
  )
  return {
    curve: "p256",
    didKey: formatDidKey(publicKey),
    sign: (bytes) =>
      Effect.promise(async () =>
        lowS(new Uint8Array(await crypto.subtle.sign(algorithm, key, bytes)))
      )
  }
})

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** WebCrypto returns either of the two valid values of s; the protocol requires the lower one. */
const lowS = (signature: Uint8Array): Uint8Array => {
  const view = new DataView(signature.buffer, signature.byteOffset + 32, 32)
  let s = 0n
  for (let at = 0; at < 32; at += 8) s = (s << 64n) | view.getBigUint64(at)
  if (s <= order >> 1n) return signature
  s = order - s
  for (let at = 24; at >= 0; at -= 8) {
    view.setBigUint64(at, s & 0xffff_ffff_ffff_ffffn)
    s >>= 64n
  }
  return signature
}
