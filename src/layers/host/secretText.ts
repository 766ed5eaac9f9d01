import { randomBytes } from "node:crypto"
import { toBase64Url } from "../../core/bytes/base64url.ts"
import { sha256 } from "../../core/repo/cid.ts"

/** Unguessable text with this many random bytes. */
export const randomText = (bytes: number): string => toBase64Url(randomBytes(bytes))

/** The stored hash of a secret text, which has too many possibilities for guessing. */
export const hashOf = (text: string): string => toBase64Url(sha256(text))
