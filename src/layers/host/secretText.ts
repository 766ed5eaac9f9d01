import { randomBytes } from "node:crypto"
import { toBase64Url } from "../../core/bytes/base64url.ts"
import { sha256 } from "../../core/repo/cid.ts"

/** Text that nobody can guess, of this many random bytes. */
export const randomText = (bytes: number): string => toBase64Url(randomBytes(bytes))

/** What is stored of a secret text: it has too many possibilities to be found again from its hash. */
export const hashOf = (text: string): string => toBase64Url(sha256(text))
