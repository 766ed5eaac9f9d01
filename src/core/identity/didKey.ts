import * as AtprotoCrypto from "@atproto/crypto"
import { ecdsa, type ECDSA } from "@noble/curves/abstract/weierstrass"
import { p256 } from "@noble/curves/p256"
import { secp256k1 } from "@noble/curves/secp256k1"
import { sha256 as nobleSha256 } from "@noble/hashes/sha2"
import { base58btc } from "multiformats/bases/base58"
import { sha256 } from "../repo/cid.ts"
import { nativeHmac, signK256 } from "./k256Sign.ts"

/** AT Protocol's two curves: K-256 (secp256k1) and P-256. */
export type Curve = "k256" | "p256"

/** A public key and its curve; the bytes are the compressed point, 33 bytes. */
export interface PublicKey {
  readonly curve: Curve
  readonly bytes: Uint8Array
}

/** The text is not a K-256 or P-256 public key. */
class InvalidKey extends Error {
  override readonly name = "InvalidKey"
}

// Key texts use @atproto/crypto. It signs and verifies with promises only, but a commit is signed
// and an operation checked in one synchronous turn, so these call its curves (noble) directly. The
// signatures are the same (RFC 6979, low S, compared in tests).
const curves: Readonly<Record<Curve, ECDSA>> = {
  k256: ecdsa(secp256k1.Point, nobleSha256, { hmac: nativeHmac, lowS: true }),
  p256: ecdsa(p256.Point, nobleSha256, { hmac: nativeHmac, lowS: true })
}

// Signing multiplies the base point with a table. The library's default table makes the first
// signature cost 20 ms, which rarely pays in a short-lived isolate: start with a small one (5 ms),
// and sign with our own table after some signatures.
const signaturesThatPay = 500
let signatures = 0
secp256k1.Point.BASE.precompute(6, true)
// P-256 signs natively; this is only for deriving public keys and verifying occasionally.
p256.Point.BASE.precompute(4, true)

/** The JWS algorithm of each curve. */
export const jwtAlgorithms = { k256: "ES256K", p256: "ES256" } as const satisfies Record<
  Curve,
  string
>

/**
 * The library takes characters above U+00FF for zeros, and quadratic time, so foreign characters
 * and texts longer than any key are rejected.
 */
const keyText = /^[\w:]{1,128}$/

const base58Bytes = (text: string): Uint8Array => {
  try {
    if (!keyText.test(text)) throw new InvalidKey("not the text of a key")
    return base58btc.decode(text)
  } catch {
    throw new InvalidKey("not a base58btc multibase text")
  }
}

/** Checks a point (compressed or not) and returns it compressed. */
const compress = (curve: Curve, bytes: Uint8Array): PublicKey => {
  try {
    const point = (curve === "k256" ? secp256k1 : p256).Point.fromBytes(bytes)
    point.assertValidity()
    return { curve, bytes: point.toBytes(true) }
  } catch {
    throw new InvalidKey(`not a point of ${curve}`)
  }
}

const parse = (read: (text: string) => AtprotoCrypto.ParsedMultikey, text: string): PublicKey => {
  try {
    if (!keyText.test(text)) throw new InvalidKey("not the text of a key")
    const { jwtAlg, keyBytes } = read(text)
    return compress(jwtAlg === jwtAlgorithms.k256 ? "k256" : "p256", keyBytes)
  } catch {
    throw new InvalidKey("not a K-256 or P-256 key")
  }
}

/** Parses a Multikey (`z…`: multicodec prefix and compressed point). */
export const parseMultikey = (text: string): PublicKey => parse(AtprotoCrypto.parseMultikey, text)

/** Parses the key of an old verification method: a point (compressed or not) of a known curve. */
export const parseLegacyMultibase = (curve: Curve, text: string): PublicKey =>
  compress(curve, base58Bytes(text))

/** Formats a public key as a Multikey. */
export const formatMultikey = (key: PublicKey): string =>
  AtprotoCrypto.formatMultikey(jwtAlgorithms[key.curve], key.bytes)

/** Parses a did:key. */
export const parseDidKey = (didKey: string): PublicKey => parse(AtprotoCrypto.parseDidKey, didKey)

/** Formats a public key as a did:key. */
export const formatDidKey = (key: PublicKey): string =>
  AtprotoCrypto.formatDidKey(jwtAlgorithms[key.curve], key.bytes)

/** Whether a text is a did:key of one of the two curves. */
export const isDidKey = (text: string): boolean => {
  try {
    parseDidKey(text)
    return true
  } catch {
    return false
  }
}

/** A new private key: 32 bytes, uniform over the curve's scalars. */
export const generatePrivateKey = (curve: Curve): Uint8Array =>
  (curve === "k256" ? secp256k1 : p256).utils.randomPrivateKey()

/** The public key of a private key (32 bytes). */
export const publicKeyOf = (curve: Curve, privateKey: Uint8Array): PublicKey => {
  try {
    return { curve, bytes: curves[curve].getPublicKey(privateKey, true) }
  } catch {
    throw new InvalidKey(`not a private key of ${curve}`)
  }
}

/** The coordinates of a public point, for a JSON Web Key. */
export const coordinatesOf = (
  key: PublicKey
): { readonly x: Uint8Array; readonly y: Uint8Array } => {
  const point = (key.curve === "k256" ? secp256k1 : p256).Point.fromBytes(key.bytes).toBytes(false)
  return { x: point.slice(1, 33), y: point.slice(33) }
}

/** Signs the SHA-256 of bytes: deterministic, low S, 64 bytes `r ‖ s`. */
export const signBytes = (curve: Curve, privateKey: Uint8Array, bytes: Uint8Array): Uint8Array => {
  if (curve === "k256" && ++signatures > signaturesThatPay) {
    return signK256(sha256(bytes), privateKey)
  }
  return curves[curve]
    .sign(sha256(bytes), privateKey, { lowS: true, prehash: false })
    .toBytes("compact")
}

/**
 * Verifies a signature of 64 bytes `r ‖ s`.
 *
 * Rejects high S, as repositories and PLC operations require, unless `allowHighS` is set (JWT
 * libraries do not normalize).
 */
export const verifyBytes = (
  didKey: string | PublicKey,
  bytes: Uint8Array,
  signature: Uint8Array,
  options?: { readonly allowHighS?: boolean }
): boolean => {
  if (signature.length !== 64) return false
  const key = typeof didKey === "string" ? parseDidKey(didKey) : didKey
  try {
    return curves[key.curve].verify(signature, sha256(bytes), key.bytes, {
      lowS: options?.allowHighS !== true,
      prehash: false,
      format: "compact"
    })
  } catch {
    return false
  }
}
