import { toBase64Url } from "../bytes/base64url.ts"
import { coordinatesOf, publicKeyOf, signBytes } from "../identity/didKey.ts"
import { sha256 } from "../repo/cid.ts"

/** What a proof of ours is for. */
export interface ProofClaims {
  readonly htm: string
  readonly htu: string
  readonly jti: string
  /** Seconds. */
  readonly iat: number
  readonly nonce?: string | undefined
  readonly accessToken?: string | undefined
}

const utf8 = new TextEncoder()

const part = (json: object): string => toBase64Url(utf8.encode(JSON.stringify(json)))

/**
 * Creates a DPoP proof with a P-256 key, as a client sends it.
 *
 * Spec: RFC 9449, section 4.2.
 */
export const signedProof = (
  privateKey: Uint8Array,
  { htm, htu, jti, iat, nonce, accessToken }: ProofClaims
): string => {
  const { x, y } = coordinatesOf(publicKeyOf("p256", privateKey))
  const jwk = { kty: "EC", crv: "P-256", x: toBase64Url(x), y: toBase64Url(y) }
  const { origin, pathname } = new URL(htu)
  const signed = `${part({ typ: "dpop+jwt", alg: "ES256", jwk })}.${part({
    htm,
    htu: `${origin}${pathname}`,
    jti,
    iat,
    nonce,
    ath: accessToken === undefined ? undefined : toBase64Url(sha256(accessToken))
  })}`
  return `${signed}.${toBase64Url(signBytes("p256", privateKey, utf8.encode(signed)))}`
}
