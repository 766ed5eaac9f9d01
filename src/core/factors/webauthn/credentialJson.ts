import { fromBase64Url } from "../../bytes/base64url.ts"
import { WebAuthnFault } from "./fault.ts"

/** What a browser answers: `PublicKeyCredential.toJSON()`. Spec: WebAuthn Level 3, 5.1. */
export type CredentialJson = Readonly<Record<string, unknown>>

/** The longest part of an answer that is read, in characters of base64url: attestations hold certificates. */
const maxPartLength = 65_536

const isObject = (value: unknown): value is CredentialJson =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** An answer with its parts still encoded. */
export interface Answer {
  /** The credential id, base64url. */
  readonly id: string
  readonly response: CredentialJson
}

/** Reads the frame of an answer; throws WebAuthnFault. */
export const readAnswer = (json: CredentialJson): Answer => {
  const { id, rawId, type, response } = json
  if (type !== "public-key" || typeof id !== "string" || rawId !== id || !isObject(response)) {
    throw new WebAuthnFault("a malformed answer")
  }
  return { id, response }
}

/** One part of a response as bytes; throws WebAuthnFault. */
export const bytesOfPart = (response: CredentialJson, name: string): Uint8Array => {
  const text = response[name]
  const bytes =
    typeof text === "string" && text.length <= maxPartLength ? fromBase64Url(text) : undefined
  if (bytes === undefined || bytes.length === 0) throw new WebAuthnFault(`malformed ${name}`)
  return bytes
}

/** How the browser says the authenticator is reached (`internal`, `hybrid` …): a hint for later sign-ins. */
export const transportsOf = (response: CredentialJson): ReadonlyArray<string> => {
  const { transports } = response
  if (!Array.isArray(transports)) return []
  const known = transports.filter(
    (one): one is string => typeof one === "string" && /^[a-z-]{1,32}$/.test(one)
  )
  return [...new Set(known)].slice(0, 8)
}
