import { fromBase64Url } from "../../bytes/base64url.ts"
import { WebAuthnFault } from "./fault.ts"

/** A browser's result: `PublicKeyCredential.toJSON()`. Spec: WebAuthn Level 3, 5.1. */
export type CredentialJson = Readonly<Record<string, unknown>>

/**
 * The longest accepted part of a result, in characters of base64url: attestations contain
 * certificates.
 */
const maxPartLength = 65_536

const isObject = (value: unknown): value is CredentialJson =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A result with encoded parts. */
export interface Answer {
  /** The credential id, base64url. */
  readonly id: string
  readonly response: CredentialJson
}

/** Parses a result without decoding its parts; throws WebAuthnFault. */
export const readAnswer = (json: CredentialJson): Answer => {
  const { id, rawId, type, response } = json
  if (type !== "public-key" || typeof id !== "string" || rawId !== id || !isObject(response)) {
    throw new WebAuthnFault("a malformed answer")
  }
  return { id, response }
}

/** Decodes one part of a response; throws WebAuthnFault. */
export const bytesOfPart = (response: CredentialJson, name: string): Uint8Array => {
  const text = response[name]
  const bytes =
    typeof text === "string" && text.length <= maxPartLength ? fromBase64Url(text) : undefined
  if (bytes === undefined || bytes.length === 0) throw new WebAuthnFault(`malformed ${name}`)
  return bytes
}

/** The authenticator's transports (`internal`, `hybrid` …), a hint for later sign-ins. */
export const transportsOf = (response: CredentialJson): ReadonlyArray<string> => {
  const { transports } = response
  if (!Array.isArray(transports)) return []
  const known = transports.filter(
    (one): one is string => typeof one === "string" && /^[a-z-]{1,32}$/.test(one)
  )
  return [...new Set(known)].slice(0, 8)
}
