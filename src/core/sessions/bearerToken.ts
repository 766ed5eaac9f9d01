import { toBase64Url } from "../bytes/base64url.ts"

/**
 * Access tokens that an owner makes for scripts: `nacre.<account>.<secret>`.
 *
 * The middle part is the JSON `{"sub": did}` as in a JWT, which leads a request to the account's
 * object; only the whole text proves anything.
 */
const form = /^nacre\.[\w-]{1,3000}\.[\w-]{43}$/

/** Whether a bearer token has the form of an owner's access token. */
export const isOwnToken = (token: string): boolean => form.test(token)

/** Makes a token for an account from 32 random bytes. */
export const formatOwnToken = (did: string, secret: Uint8Array): string => {
  const subject = new TextEncoder().encode(JSON.stringify({ sub: did }))
  return `nacre.${toBase64Url(subject)}.${toBase64Url(secret)}`
}
