import type { Client } from "../../core/oauth/types.ts"
import type { OAuthTokens } from "./OAuthSessions.ts"

/**
 * The response of the token endpoint. Spec: RFC 6749 5.1, RFC 9449 5; `sub` by the atproto profile.
 */
export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: "DPoP"
  readonly refresh_token?: string
  readonly expires_in: number
  readonly scope: string
  readonly sub: string
}

/** The tokens of an account's session, in the client's form. */
export const tokenAnswer = (did: string, tokens: OAuthTokens): TokenAnswer => ({
  access_token: tokens.accessToken,
  token_type: "DPoP",
  ...(tokens.refreshToken === undefined ? {} : { refresh_token: tokens.refreshToken }),
  expires_in: tokens.expiresIn,
  scope: tokens.granted,
  sub: did
})

/** Whether a client may refresh its tokens. */
export const mayRefresh = ({ grantTypes }: Client): boolean => grantTypes.includes("refresh_token")
