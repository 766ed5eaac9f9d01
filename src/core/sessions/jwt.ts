import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto"
import { jsonObject } from "../bytes/jsonObject.ts"

/** A parsed JWT; nothing in it is verified. */
export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  /** The signed text: header and claims as they were sent. */
  readonly signed: string
  readonly signature: string
}

/** The longest accepted token, in characters. */
const maxJwtLength = 8192

const utf8 = new TextEncoder()

const encodePart = (json: object): string =>
  btoa(JSON.stringify(json)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")

/**
 * Decodes a token's header or claims without verifying them; undefined if they aren't a JSON
 * object.
 */
export const decodePart = (part: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const binary = atob(part.replaceAll("-", "+").replaceAll("_", "/"))
    const bytes = new Uint8Array(binary.length)
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
    return jsonObject(bytes)
  } catch {
    return undefined
  }
}

/** Parses a JWT; undefined if it is malformed. */
export const parseJwt = (token: string): Jwt | undefined => {
  if (token.length > maxJwtLength || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return undefined
  const first = token.indexOf(".")
  const last = token.lastIndexOf(".")
  const header = decodePart(token.slice(0, first))
  const claims = header && decodePart(token.slice(first + 1, last))
  if (header === undefined || claims === undefined) return undefined
  return { header, claims, signed: token.slice(0, last), signature: token.slice(last + 1) }
}

const hmac = (key: KeyObject, text: string): string =>
  createHmac("sha256", key).update(text).digest("base64url")

/** Compares two texts in a time that depends only on their lengths. */
export const sameText = (a: string, b: string): boolean => {
  const [one, other] = [utf8.encode(a), utf8.encode(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** Creates an HS256 token of a type; the claims must be ASCII. */
export const signJwt = (key: KeyObject, typ: string, claims: object): string => {
  const signed = `${encodePart({ typ, alg: "HS256" })}.${encodePart(claims)}`
  return `${signed}.${hmac(key, signed)}`
}

/** Whether this key signed the token: accepts only HS256, whatever the header says. */
export const isSignedWith = (key: KeyObject, jwt: Jwt): boolean =>
  jwt.header["alg"] === "HS256" && sameText(jwt.signature, hmac(key, jwt.signed))

/** How many texts or tokens are remembered. */
const maxRemembered = 256

/** The longest text that is remembered, in characters: a session's token and an app's key are shorter. */
const longestRemembered = 1024

/** A function of a text that remembers its results: a client sends the same token for hours. */
export const remembering = <A>(compute: (text: string) => A): ((text: string) => A) => {
  const known = new Map<string, A>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const made = compute(text)
    if (text.length > longestRemembered) return made
    if (known.size >= maxRemembered) known.clear()
    known.set(text, made)
    return made
  }
}

/** `parseJwt` that remembers; nothing in a remembered token is verified either. */
export const parseKnownJwt = remembering(parseJwt)

/**
 * A verifier for one key that remembers valid tokens: computing the signature is the most expensive
 * part of authentication, and a client sends the same token for two hours.
 */
export const rememberingVerifier = (key: KeyObject): ((jwt: Jwt) => boolean) => {
  const good = new Map<string, string>()
  return (jwt) => {
    const signature = good.get(jwt.signed)
    if (signature !== undefined) return sameText(jwt.signature, signature)
    if (!isSignedWith(key, jwt)) return false
    if (good.size >= maxRemembered) good.clear()
    good.set(jwt.signed, jwt.signature)
    return true
  }
}
