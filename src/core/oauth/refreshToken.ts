import { fromBase64Url, toBase64Url } from "../bytes/base64url.ts"
import { isDid } from "../lexicon/syntax.ts"

/** What a refresh token says openly, so that the Worker finds the account; nothing in it is to be trusted. */
export interface RefreshTokenParts {
  readonly did: string
  /** The id of the OAuth session. */
  readonly session: string
}

/** The longest token that is read: a DID has up to 2,048 characters. */
const maxLength = 4096

/** Writes a refresh token: the secret is 32 bytes, of which nothing but the token's hash is kept. */
export const makeRefreshToken = ({ did, session }: RefreshTokenParts, secret: Uint8Array): string =>
  `ref.${toBase64Url(new TextEncoder().encode(did))}.${session}.${toBase64Url(secret)}`

/** Reads whose a refresh token would be; undefined where it has not the form of one. */
export const readRefreshToken = (text: string): RefreshTokenParts | undefined => {
  if (text.length > maxLength) return undefined
  const parts = /^ref\.([\w-]+)\.([\w-]+)\.[\w-]{43}$/.exec(text)
  const bytes = parts === null ? undefined : fromBase64Url(parts[1]!)
  if (parts === null || bytes === undefined) return undefined
  const did = new TextDecoder().decode(bytes)
  return isDid(did) ? { did, session: parts[2]! } : undefined
}
