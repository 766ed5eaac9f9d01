import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from "node:crypto"
import { fromBase64Url } from "../bytes/base64url.ts"

/** Random bytes in a secret, and bytes of the tag after them. */
const half = 16

const tagOf = (key: KeyObject, session: string, random: Uint8Array): Uint8Array =>
  createHmac("sha256", key).update(`${session}.`).update(random).digest().subarray(0, half)

const secretOf = (key: KeyObject, session: string, first: Uint8Array): Uint8Array => {
  const secret = new Uint8Array(2 * half)
  secret.set(first)
  secret.set(tagOf(key, session, first), half)
  return secret
}

/**
 * Creates the secret of a session's first refresh token, 32 bytes: 16 random ones and their tag
 * under the server's key.
 *
 * The tag distinguishes an issued token from an invented one: only an issued one that isn't the
 * newest ends its session, and no list of used tokens is needed.
 */
export const firstRefreshSecret = (key: KeyObject, session: string): Uint8Array =>
  secretOf(key, session, randomBytes(half))

/**
 * Creates the secret of the next token: deterministic, and unpredictable without the key.
 *
 * So each token determines the next one, and neither is stored.
 */
export const nextRefreshSecret = (key: KeyObject, session: string, token: string): Uint8Array =>
  secretOf(
    key,
    session,
    createHmac("sha256", key).update(`after ${token}`).digest().subarray(0, half)
  )

/** Whether this server issued a refresh token for this session, current or old. */
export const isGenuine = (key: KeyObject, session: string, token: string): boolean => {
  const bytes = fromBase64Url(token.slice(token.lastIndexOf(".") + 1))
  return (
    bytes?.length === 2 * half &&
    timingSafeEqual(bytes.subarray(half), tagOf(key, session, bytes.subarray(0, half)))
  )
}
