import * as Result from "effect/Result"
import { parseJwt } from "../sessions/jwt.ts"
import { toBase64Url } from "../bytes/base64url.ts"
import { sha256 } from "../repo/cid.ts"
import { isPublicJwk, signerOf, signingAlgs } from "./jwk.ts"

/**
 * Maximum age of a proof, and how far the client's clock may be ahead, in seconds; the nonce limits
 * it further.
 */
const maxAge = 300
const maxAhead = 180

const maxJtiLength = 256

/** What a proof must be valid for. */
export interface ProofDemands {
  /** The method of the request. */
  readonly htm: string
  /** The URL of the request. */
  readonly htu: string
  /** Milliseconds. */
  readonly now: number
  readonly isNonce: (nonce: string) => boolean
  /** The request's access token. */
  readonly accessToken?: string
}

/** A valid proof: the caller must ensure single use, by `jkt` and `jti`, until `expires`. */
export interface Proof {
  /** Thumbprint of the signing key. */
  readonly jkt: string
  readonly jti: string
  readonly nonce: string
  /** Creation time by the client's clock, in milliseconds. */
  readonly issued: number
  /** When it expires, in milliseconds. */
  readonly expires: number
}

/** The error names for an invalid proof. */
export const proofErrors = ["invalid_dpop_proof", "use_dpop_nonce"] as const

/** Why a proof is rejected; the reason contains nothing of the proof. */
export interface ProofFault {
  readonly error: (typeof proofErrors)[number]
  readonly reason: string
}

type CheckedProof = Result.Result<Proof, ProofFault>

const refuse = (
  reason: string,
  error: ProofFault["error"] = "invalid_dpop_proof"
): Result.Result<never, ProofFault> => Result.fail({ error, reason })

/**
 * A URL's origin and path, for comparison; undefined if it is not an HTTP URL.
 *
 * Spec: RFC 9449, section 4.3, step 9; some clients include the query.
 */
const comparable = (text: string): string | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined
  return url.username === "" && url.password === "" ? url.origin + url.pathname : undefined
}

/** The fault of the claims other than the nonce, if any. */
const claimFault = (
  { htm, htu, iat, jti, ath }: Readonly<Record<string, unknown>>,
  demands: ProofDemands
): string | undefined => {
  if (typeof jti !== "string" || jti === "" || jti.length > maxJtiLength) return "jti is missing"
  if (htm !== demands.htm) return "htm is not the method of the request"
  const signed = typeof htu === "string" ? comparable(htu) : undefined
  if (signed === undefined || signed !== comparable(demands.htu)) {
    return "htu is not the URL of the request"
  }
  if (typeof iat !== "number" || !Number.isFinite(iat)) return "iat is missing"
  const age = demands.now / 1000 - iat
  if (age > maxAge) return "iat is too old"
  if (age < -maxAhead) return "iat is in the future"
  if (demands.accessToken === undefined) {
    return ath === undefined ? undefined : "ath is given, but no access token"
  }
  return ath === toBase64Url(sha256(demands.accessToken))
    ? undefined
    : "ath is not the hash of the access token"
}

/**
 * Checks a DPoP proof: a header with exactly one compact JWS of at most 8 KiB. Returns a function
 * where the signature has to be waited for; see `signerOf`.
 *
 * Checks the nonce last, so a client that gets `use_dpop_nonce` need not change anything else.
 *
 * Spec: RFC 9449, section 4.3.
 */
export const checkProof = (
  proof: string | undefined,
  demands: ProofDemands
): CheckedProof | (() => Promise<CheckedProof>) => {
  if (proof === undefined) return refuse("DPoP proof is missing")
  const jwt = parseJwt(proof)
  if (jwt === undefined) return refuse("not one JWT of bounded size")
  const { typ, alg, jwk, crit } = jwt.header
  if (typ !== "dpop+jwt") return refuse("typ is not dpop+jwt")
  if (typeof alg !== "string" || !signingAlgs.includes(alg)) return refuse("alg is not supported")
  if (crit !== undefined) return refuse("crit is not supported")
  if (!isPublicJwk(jwk)) return refuse("jwk is not a public key")
  const reason = claimFault(jwt.claims, demands)
  if (reason !== undefined) return refuse(reason)
  const signedBy = (jkt: string | undefined): CheckedProof => {
    if (jkt === undefined) return refuse("the signature does not verify")
    const { iat, jti, nonce } = jwt.claims
    if (typeof nonce !== "string" || !demands.isNonce(nonce)) {
      return refuse("nonce is missing or too old", "use_dpop_nonce")
    }
    // SAFETY: `claimFault` checked that these are a number and a text.
    const issued = (iat as number) * 1000
    const expires = Math.ceil(issued + maxAge * 1000)
    return Result.succeed({ jkt, jti: jti as string, nonce, issued, expires })
  }
  const signer = signerOf(proof, jwk, alg)
  return typeof signer === "function" ? () => signer().then(signedBy) : signedBy(signer)
}
