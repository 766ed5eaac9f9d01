import { sameText } from "../sessions/jwt.ts"
import { toBase64Url } from "../bytes/base64url.ts"
import { sha256 } from "../repo/cid.ts"

/** Whether a text has the form of an S256 challenge: a SHA-256 in base64url. */
export const isChallenge = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text)

/** Whether a verifier is well-formed and matches an S256 challenge (RFC 7636, section 4.6). */
export const verifies = (verifier: string, challenge: string): boolean =>
  /^[A-Za-z0-9._~-]{43,128}$/.test(verifier) && sameText(toBase64Url(sha256(verifier)), challenge)
