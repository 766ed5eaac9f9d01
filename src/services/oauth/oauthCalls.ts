import type { NewOAuthSession, OAuthSession, OAuthTokens } from "./OAuthSessions.ts"

/** What the account's object does for the OAuth provider; the Worker has judged the client. */
export interface OAuthCalls {
  /** Opens the session that a code stands for; refused while the account is not active. */
  openOAuth: { input: NewOAuthSession; output: OAuthTokens }
  /** The session of a refresh token, which is not used yet; `jkt` is the caller's key. Rejected as `invalid_grant`. */
  peekOAuth: {
    input: { readonly refreshToken: string; readonly jkt: string }
    output: OAuthSession
  }
  /** Uses a refresh token. Rejected as `invalid_grant`. */
  refreshOAuth: {
    input: {
      readonly refreshToken: string
      readonly clientId: string
      readonly jkt: string
      readonly granted: string
    }
    output: OAuthTokens
  }
  /** Revokes by either token of this client, whatever the account's standing; never fails for one that is unknown. */
  revokeOAuth: { input: { readonly token: string; readonly clientId: string }; output: void }
  /** Ends a session by its id. */
  endOAuth: { input: { readonly session: string }; output: void }
  /** What was agreed to for this client before. */
  consented: { input: { readonly clientId: string }; output: { readonly scope?: string } }
  rememberConsent: { input: { readonly clientId: string; readonly scope: string }; output: void }
}
