import { toBase64Url } from "../../core/bytes/base64url.ts"
import { firstRefreshSecret, isGenuine, nextRefreshSecret } from "../../core/oauth/refreshSecret.ts"
import { makeRefreshToken } from "../../core/oauth/refreshToken.ts"
import { sha256 } from "../../core/repo/cid.ts"
import type { KeptKeys } from "../sessions/KeptKeysSqlite.ts"

/** The stored hash of a refresh token. */
export const hashOf = (token: string): string => toBase64Url(sha256(token))

/** An account's refresh tokens, made with the current key and known by the older ones too. */
export const refreshTokens = (keys: KeptKeys) => {
  const after = (did: string, session: string, token: string, key = keys.current): string =>
    makeRefreshToken({ did, session }, nextRefreshSecret(key, session, token))
  return {
    first: (did: string, session: string): string =>
      makeRefreshToken({ did, session }, firstRefreshSecret(keys.current, session)),
    after,
    /** Whether this server issued the token for this session. */
    isIssued: (session: string, token: string, now: number): boolean =>
      isGenuine(keys.current, session, token) ||
      keys.older(now).some((key) => isGenuine(key, session, token)),
    /** The token with the hash `current`, if it follows this one under one of the keys. */
    issuedAfter: (
      { did, session }: { readonly did: string; readonly session: string },
      token: string,
      current: string | null,
      now: number
    ): string | undefined =>
      [keys.current, ...keys.older(now)]
        .map((key) => after(did, session, token, key))
        .find((next) => hashOf(next) === current)
  }
}
