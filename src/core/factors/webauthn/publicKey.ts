import { toBase64Url } from "../../bytes/base64url.ts"
import type { CborMap } from "./cbor.ts"
import { WebAuthnFault } from "./fault.ts"

/** A credential's public key as a JSON Web Key; `alg` is its signature algorithm. */
export type PasskeyJwk =
  | {
      readonly kty: "EC"
      readonly alg: "ES256"
      readonly crv: "P-256"
      readonly x: string
      readonly y: string
    }
  | { readonly kty: "OKP"; readonly alg: "EdDSA"; readonly crv: "Ed25519"; readonly x: string }
  | { readonly kty: "RSA"; readonly alg: "RS256"; readonly n: string; readonly e: string }

const bytesAt = (key: CborMap, label: number, min: number, max: number): string => {
  const value = key.get(label)
  if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
    throw new WebAuthnFault("a malformed public key")
  }
  return toBase64Url(value)
}

// Labels of COSE: 1 kty, 3 alg; -1, -2, -3 belong to the key type.
/** Parses a COSE key of a requested algorithm; throws WebAuthnFault. Spec: RFC 9053, 8230. */
export const readCoseKey = (key: CborMap): PasskeyJwk => {
  const kind = `${String(key.get(1))} ${String(key.get(3))}`
  switch (kind) {
    case "2 -7": {
      if (key.get(-1) !== 1) throw new WebAuthnFault("a public key on another curve")
      const [x, y] = [bytesAt(key, -2, 32, 32), bytesAt(key, -3, 32, 32)]
      return { kty: "EC", alg: "ES256", crv: "P-256", x, y }
    }
    case "1 -8": {
      if (key.get(-1) !== 6) throw new WebAuthnFault("a public key on another curve")
      return { kty: "OKP", alg: "EdDSA", crv: "Ed25519", x: bytesAt(key, -2, 32, 32) }
    }
    case "3 -257":
      // 2048 to 4096 bits.
      return { kty: "RSA", alg: "RS256", n: bytesAt(key, -1, 256, 512), e: bytesAt(key, -2, 1, 8) }
    default:
      throw new WebAuthnFault("a public key of an algorithm that was not asked for")
  }
}
