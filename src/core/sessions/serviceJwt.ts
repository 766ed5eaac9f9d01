import { isDid } from "../lexicon/syntax.ts"
import { fromBase64Url, toBase64Url } from "../bytes/base64url.ts"
import { parseDidReference } from "../identity/did.ts"
import { type Curve, jwtAlgorithms, parseDidKey, verifyBytes } from "../identity/didKey.ts"
import { jsonObject } from "../bytes/jsonObject.ts"
import type { Jwt } from "./jwt.ts"

/** The protocol's names for what may be wrong with a service token. */
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

/** What is wrong with a service token, by the protocol's name. */
export interface ServiceTokenFault {
  readonly error: (typeof serviceTokenErrors)[number]
  readonly message: string
}

/** The claims of a service token; times are in seconds. */
export interface ServiceClaims {
  /** The DID that speaks, with a service fragment in tokens of the old form. */
  readonly iss: string
  /** Who is spoken to: a DID, or `did#service`. */
  readonly aud: string
  /** The one method that the token is for. */
  readonly lxm?: string
  readonly iat?: number
  readonly exp: number
  readonly jti?: string
}

/** A service token taken apart; nothing in it is verified yet. */
export interface ServiceJwt {
  readonly claims: ServiceClaims
  /** The DID of `iss`, without a fragment. */
  readonly did: string
  readonly alg: string
  /** The fragment of the key in the issuer's DID document: `atproto`. */
  readonly keyId: string
  /** The bytes that are signed. */
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

/** The longest token that is read, in characters. */
const maxServiceJwtLength = 8192

/** Types of JWT that other protocols use, and that must never pass for a service token. */
const otherTypes: ReadonlySet<string> = new Set(["at+jwt", "refresh+jwt", "dpop+jwt"])

const text = new TextEncoder()

/** The text that is signed for a token: header and claims. */
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

/** Puts the signature on a token. */
export const signedServiceJwt = (unsigned: string, signature: Uint8Array): string =>
  `${unsigned}.${toBase64Url(signature)}`

type Parsed =
  | { readonly ok: true; readonly jwt: ServiceJwt }
  | { readonly ok: false; readonly fault: ServiceTokenFault }

const fault = (error: ServiceTokenFault["error"], message: string) =>
  ({ ok: false, fault: { error, message } }) as const

const decodePart = (part: string): Readonly<Record<string, unknown>> | undefined => {
  const bytes = fromBase64Url(part)
  return bytes && jsonObject(bytes)
}

const isOptional = (value: unknown, type: "string" | "number"): boolean =>
  value === undefined || (typeof value === type && (type === "string" || Number.isFinite(value)))

/** The fragment that a `kid` names (`#atproto`, in full `did:…#atproto`); undefined for another DID's key. */
const keyFragment = (kid: unknown, did: string, implied: string): string | undefined => {
  // A kid of some other scheme says nothing about the document's keys.
  if (typeof kid !== "string" || !kid.includes("#")) return implied
  const [owner, fragment] = kid.split("#", 2)
  return owner === "" || owner === did ? fragment : undefined
}

/** Takes a service token apart, and refuses what is malformed or a token of another kind. */
export const parseServiceJwt = (token: string): Parsed => {
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
  // A labeler names itself by a fragment of iss in tokens of the old form; all others sign with #atproto.
  const implied = issuer.fragment === "atproto_labeler" ? "atproto_label" : "atproto"
  const keyId = keyFragment(kid, issuer.did, implied)
  if (keyId === undefined) return fault("BadJwt", "kid is not a key of the issuer")
  return {
    ok: true,
    jwt: {
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
    }
  }
}

/** Whether a token claims to be one of these moderation services'; nothing of it is verified. */
export const isByModerator = (
  { claims }: Pick<Jwt, "claims">,
  { moderators }: { readonly moderators: ReadonlyArray<string> }
): boolean => {
  const { iss, lxm } = claims
  return (
    typeof iss === "string" && lxm !== undefined && moderators.includes(iss.split("#", 1)[0] ?? "")
  )
}

/** An NSID as it is compared: its authority has no case, its name has. */
const normalizeLxm = (nsid: string): string => {
  const dot = nsid.lastIndexOf(".")
  return nsid.slice(0, dot).toLowerCase() + nsid.slice(dot)
}

/** What a token must say to be taken. */
export interface ServiceTokenDemands {
  readonly audiences: ReadonlyArray<string>
  readonly lxm: string
  /** The clock, in seconds. */
  readonly now: number
}

/** Seconds by which another host's clock may be ahead. */
const clockSkew = 60

/** Checks the claims of a token against what is demanded; the fault, or undefined. */
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

/** Verifies a token's signature by the did:key of its issuer; a key of another algorithm does not. */
export const isSignedBy = (jwt: ServiceJwt, didKey: string): boolean => {
  const key = parseDidKey(didKey)
  return (
    jwtAlgorithms[key.curve] === jwt.alg &&
    // JWT libraries do not lower S, so tokens in the wild come with either.
    verifyBytes(key, jwt.signed, jwt.signature, { allowHighS: true })
  )
}
