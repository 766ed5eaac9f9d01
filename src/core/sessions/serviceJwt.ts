import * as Result from "effect/Result"
import { isDid } from "../lexicon/syntax.ts"
import { fromBase64Url, toBase64Url } from "../bytes/base64url.ts"
import { parseDidReference } from "../identity/did.ts"
import { type Curve, jwtAlgorithms, parseDidKey, verifyBytes } from "../identity/didKey.ts"
import { jsonObject } from "../bytes/jsonObject.ts"
import type { Jwt } from "./jwt.ts"

/** The protocol's error names for an invalid service auth token. */
export const serviceTokenErrors = [
  "MissingJwt",
  "BadJwt",
  "BadJwtType",
  "JwtExpired",
  "BadJwtAudience",
  "BadJwtLexiconMethod",
  "BadJwtIss",
  "BadJwtSignature",
  "UntrustedIss"
] as const

/** Why a service auth token is invalid, with the protocol's error name. */
export interface ServiceTokenFault {
  readonly error: (typeof serviceTokenErrors)[number]
  readonly message: string
}

/** The claims of a service auth token; times in seconds. */
export interface ServiceClaims {
  /** The issuing DID, with a service fragment in tokens of the old form. */
  readonly iss: string
  /** The audience: a DID, or `did#service`. */
  readonly aud: string
  /** The only method that the token is for. */
  readonly lxm?: string
  readonly iat?: number
  readonly exp: number
  readonly jti?: string
}

/** A parsed service auth token; nothing in it is verified. */
export interface ServiceJwt {
  readonly claims: ServiceClaims
  /** The DID of `iss`, without a fragment. */
  readonly did: string
  readonly alg: string
  /** The fragment of the key in the issuer's DID document: `atproto`. */
  readonly keyId: string
  /** The signed bytes. */
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

/** The longest accepted token, in characters. */
const maxServiceJwtLength = 8192

/** JWT types of other protocols, which must never be accepted as service auth. */
const otherTypes: ReadonlySet<string> = new Set(["at+jwt", "refresh+jwt", "dpop+jwt"])

const text = new TextEncoder()

/** The text to sign for a token: header and claims. */
export const unsignedServiceJwt = (
  curve: Curve,
  claims: Required<Omit<ServiceClaims, "lxm">> & Pick<ServiceClaims, "lxm">
): string => {
  const header = { typ: "JWT", alg: jwtAlgorithms[curve], kid: "#atproto" }
  const { iss, aud, lxm, iat, exp, jti } = claims
  return [header, { iss, aud, lxm, iat, exp, jti }]
    .map((part) => toBase64Url(text.encode(JSON.stringify(part))))
    .join(".")
}

/** Adds the signature to a token. */
export const signedServiceJwt = (unsigned: string, signature: Uint8Array): string =>
  `${unsigned}.${toBase64Url(signature)}`

const fault = (error: ServiceTokenFault["error"], message: string) =>
  Result.fail<ServiceTokenFault>({ error, message })

const decodePart = (part: string): Readonly<Record<string, unknown>> | undefined => {
  const bytes = fromBase64Url(part)
  return bytes && jsonObject(bytes)
}

const isOptional = (value: unknown, type: "string" | "number"): boolean =>
  value === undefined || (typeof value === type && (type === "string" || Number.isFinite(value)))

/** The fragment in a `kid` (`#atproto` or `did:…#atproto`); undefined for another DID's key. */
const keyFragment = (kid: unknown, did: string, implied: string): string | undefined => {
  // A kid of another scheme says nothing about the document's keys.
  if (typeof kid !== "string" || !kid.includes("#")) return implied
  const [owner, fragment] = kid.split("#", 2)
  return owner === "" || owner === did ? fragment : undefined
}

/** Parses a service auth token, and rejects malformed ones and other kinds of JWT. */
export const parseServiceJwt = (token: string): Result.Result<ServiceJwt, ServiceTokenFault> => {
  if (token === "") return fault("MissingJwt", "missing jwt")
  const parts = token.length > maxServiceJwtLength ? [] : token.split(".")
  const [head = "", body = "", tail = ""] = parts
  const header = decodePart(head)
  const claims = decodePart(body)
  const signature = fromBase64Url(tail)
  if (
    parts.length !== 3 ||
    header === undefined ||
    claims === undefined ||
    signature === undefined
  ) {
    return fault("BadJwt", "poorly formatted jwt")
  }
  const { alg, typ, kid } = header
  if (typeof alg !== "string" || !isOptional(typ, "string") || header["crit"] !== undefined) {
    return fault("BadJwt", "poorly formatted jwt")
  }
  if (typeof typ === "string" && otherTypes.has(typ.toLowerCase())) {
    return fault("BadJwtType", `Invalid jwt type "${typ}"`)
  }
  const { iss, aud, exp, iat, lxm, jti } = claims
  if (
    typeof iss !== "string" ||
    typeof aud !== "string" ||
    typeof exp !== "number" ||
    !isOptional(iat, "number") ||
    !isOptional(lxm, "string") ||
    !isOptional(jti, "string")
  ) {
    return fault("BadJwt", "poorly formatted jwt")
  }
  const issuer = parseDidReference(iss)
  if (issuer === undefined || !isDid(issuer.did)) {
    return fault("BadJwtIss", "jwt iss is not a valid did")
  }
  // In tokens of the old form, a labeler has a fragment in `iss`; all others sign with #atproto.
  const implied = issuer.fragment === "atproto_labeler" ? "atproto_label" : "atproto"
  const keyId = keyFragment(kid, issuer.did, implied)
  if (keyId === undefined) return fault("BadJwt", "kid is not a key of the issuer")
  return Result.succeed({
    claims: {
      iss,
      aud,
      exp,
      ...(typeof lxm === "string" ? { lxm } : {}),
      ...(typeof iat === "number" ? { iat } : {}),
      ...(typeof jti === "string" ? { jti } : {})
    },
    did: issuer.did,
    alg,
    keyId,
    signed: text.encode(`${head}.${body}`),
    signature
  })
}

/** Whether a token claims to be from one of these moderation services; unverified. */
export const isByModerator = (
  { claims }: Pick<Jwt, "claims">,
  { moderators }: { readonly moderators: ReadonlyArray<string> }
): boolean => {
  const { iss, lxm } = claims
  return (
    typeof iss === "string" && lxm !== undefined && moderators.includes(iss.split("#", 1)[0] ?? "")
  )
}

/** An NSID for comparison: its authority is case-insensitive, its name isn't. */
const normalizeLxm = (nsid: string): string => {
  const dot = nsid.lastIndexOf(".")
  return nsid.slice(0, dot).toLowerCase() + nsid.slice(dot)
}

/** The requirements for a token. */
export interface ServiceTokenDemands {
  readonly audiences: ReadonlyArray<string>
  readonly lxm: string
  /** Current time, in seconds. */
  readonly now: number
}

/** How far another host's clock may be ahead, in seconds. */
const clockSkew = 60

/** Checks a token's claims against the requirements; returns the fault, if any. */
export const claimsFault = (
  { claims }: ServiceJwt,
  { audiences, lxm, now }: ServiceTokenDemands
): ServiceTokenFault | undefined => {
  if (now > claims.exp) return { error: "JwtExpired", message: "jwt expired" }
  if (claims.iat !== undefined && claims.iat > now + clockSkew) {
    return { error: "BadJwt", message: "jwt was issued in the future" }
  }
  if (!audiences.includes(claims.aud)) {
    return { error: "BadJwtAudience", message: "jwt audience does not match service did" }
  }
  if (claims.lxm === undefined || normalizeLxm(claims.lxm) !== normalizeLxm(lxm)) {
    const how = claims.lxm === undefined ? "missing" : "bad"
    return {
      error: "BadJwtLexiconMethod",
      message: `${how} jwt lexicon method ("lxm"). must match: ${lxm}`
    }
  }
  return undefined
}

/** Verifies a token's signature with the issuer's did:key; false for a key of another algorithm. */
export const isSignedBy = (jwt: ServiceJwt, didKey: string): boolean => {
  const key = parseDidKey(didKey)
  return (
    jwtAlgorithms[key.curve] === jwt.alg &&
    // JWT libraries don't lower S, so both forms occur.
    verifyBytes(key, jwt.signed, jwt.signature, { allowHighS: true })
  )
}
