import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from "node:crypto"
import { fromBase64Url } from "../bytes/base64url.ts"

/** Bytes of chance in a secret, and bytes of the tag behind them. */
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
 * Makes the secret of a session's first refresh token, 32 bytes: 16 random ones and a tag of them under the server's key.
 *
 * By the tag a token that was once given out is told from one that somebody made up: only the first
 * ends its session when it is not the newest any more, and no list of used tokens is kept.
 */
export const firstRefreshSecret = (key: KeyObject, session: string): Uint8Array =>
  secretOf(key, session, randomBytes(half))

/**
 * Makes the secret of the token that comes after another: always the same one, which nobody can tell without the key.
 *
 * So the newest token is known by the one before it, and neither is stored.
 */
export const nextRefreshSecret = (key: KeyObject, session: string, token: string): Uint8Array =>
  secretOf(
    key,
    session,
    createHmac("sha256", key).update(`after ${token}`).digest().subarray(0, half)
  )

/** Whether this server made a refresh token, the newest or an older one, for this session. */
export const isGenuine = (key: KeyObject, session: string, token: string): boolean => {
  const bytes = fromBase64Url(token.slice(token.lastIndexOf(".") + 1))
  return (
    bytes?.length === 2 * half &&
    timingSafeEqual(bytes.subarray(half), tagOf(key, session, bytes.subarray(0, half)))
  )
}
