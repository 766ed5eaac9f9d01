import { fromBase64Url, toBase64Url } from "../bytes/base64url.ts"
import { isDid } from "../lexicon/syntax.ts"

/**
 * The readable part of a refresh token, with which the Worker finds the account; not to be trusted.
 */
export interface RefreshTokenParts {
  readonly did: string
  /** The id of the OAuth session. */
  readonly session: string
}

/** The longest accepted token: a DID has up to 2,048 characters. */
const maxLength = 4096

/** Formats a refresh token: the secret has 32 bytes, and only the token's hash is stored. */
export const makeRefreshToken = ({ did, session }: RefreshTokenParts, secret: Uint8Array): string =>
  `ref.${toBase64Url(new TextEncoder().encode(did))}.${session}.${toBase64Url(secret)}`

/** Reads the account and session in a refresh token; undefined if it is malformed. */
export const readRefreshToken = (text: string): RefreshTokenParts | undefined => {
  if (text.length > maxLength) return undefined
  const parts = /^ref\.([\w-]+)\.([\w-]+)\.[\w-]{43}$/.exec(text)
  const bytes = parts === null ? undefined : fromBase64Url(parts[1]!)
  if (parts === null || bytes === undefined) return undefined
  const did = new TextDecoder().decode(bytes)
  return isDid(did) ? { did, session: parts[2]! } : undefined
}
