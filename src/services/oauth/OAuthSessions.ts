import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Jwt } from "../../core/sessions/jwt.ts"
import type { AccessGrant } from "../../core/oauth/accessToken.ts"
import type { Proof } from "../../core/oauth/dpop.ts"
import type { ClientAuth } from "../../core/oauth/types.ts"
import type { OAuthDenied } from "../sessions/Auth.ts"
import type { SeenFrom } from "../../core/sessions/seenFrom.ts"

/**
 * The code or refresh token is unknown or used, its session has ended, or the account is closed to
 * apps.
 */
export class GrantEnded extends Schema.TaggedError<GrantEnded>()("GrantEnded", {
  reason: Schema.Literals([
    "unknown",
    "replayed",
    "expired",
    "other client",
    "other key",
    "account inactive",
    "ended"
  ])
}) {}

/** An app's session, with the user's consent. */
export interface OAuthSession {
  readonly id: string
  readonly clientId: string
  readonly clientAuth: ClientAuth
  /** Thumbprint of the DPoP key. */
  readonly jkt: string
  /** The scope the user agreed to, with `include:` as requested. */
  readonly scope: string
  /** The scope of the tokens, with `include:` expanded. */
  readonly granted: string
  /** The device on which the user consented. */
  readonly device: string
  readonly createdAt: number
  readonly refreshedAt: number
  /** When its refresh token expires, in milliseconds. */
  readonly expiresAt: number
}

/** A session, and where its user agreed to it if that is known. */
export interface SeenOAuthSession extends OAuthSession {
  readonly from: SeenFrom
}

/** The data of a new session. */
export interface NewOAuthSession {
  readonly id: string
  readonly clientId: string
  readonly clientAuth: ClientAuth
  readonly jkt: string
  readonly scope: string
  readonly granted: string
  readonly device: string
  /** Whether the client may refresh. */
  readonly refreshable: boolean
  /** When the user consented, in milliseconds. */
  readonly agreedAt: number
  readonly from?: SeenFrom
}

/** The tokens of an OAuth session; `expiresIn` is in seconds. */
export interface OAuthTokens {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly expiresIn: number
  readonly granted: string
}

/**
 * Whether a proof works for this call: fresh, used, or too old to know.
 *
 * A proof with a nonce that contains `mark` is never too old.
 */
export type ProofUse =
  | { readonly kind: "fresh" }
  | { readonly kind: "used" }
  | { readonly kind: "unsure"; readonly mark: string }

/**
 * The OAuth sessions of this object's account, and its owner's consents.
 *
 * An access token (15 minutes) is valid while its session's row exists. A refresh token works once,
 * and returns the same response to the same key for half a minute; used later, it ends the session.
 * Public clients' sessions end after two weeks; each refresh token of a confidential client lives
 * 180 days. Only hashes are stored.
 */
export class OAuthSessions extends Context.Service<
  OAuthSessions,
  {
    /**
     * Opens an id once, and never after it ended, so a code used twice opens nothing. Beyond 1,000
     * the oldest ends.
     */
    open(did: string, session: NewOAuthSession): Effect.Effect<OAuthTokens, GrantEnded>
    /**
     * The session of a refresh token, without using it; a replayed token ends its session. `jkt` is
     * the caller's key.
     */
    peek(refreshToken: string, jkt: string): Effect.Effect<OAuthSession, GrantEnded>
    /**
     * Uses a refresh token: returns new tokens with `granted`. Concurrent calls with the same key
     * get the same result.
     */
    refresh(
      did: string,
      refreshToken: string,
      use: { readonly clientId: string; readonly jkt: string; readonly granted: string }
    ): Effect.Effect<OAuthTokens, GrantEnded>
    /**
     * Checks an access token of this account, but not its session or proof; `now` is in
     * milliseconds.
     */
    checkAccess(
      did: string,
      token: Jwt | undefined,
      now: number
    ): Result.Result<AccessGrant, OAuthDenied>
    /** A session that has not ended; synchronous because each request needs it. */
    find(id: string): OAuthSession | undefined
    readonly list: Effect.Effect<ReadonlyArray<SeenOAuthSession>>
    /** Ends a session and forgets the consent to its client. */
    end(id: string): Effect.Effect<void>
    /** Ends every session, even those that unredeemed codes would open. */
    readonly endAll: Effect.Effect<void>
    /** Uses a valid DPoP proof of this session's key; `now` is in milliseconds. */
    useProof(session: string, proof: Proof, now: number): ProofUse
    /** Removes expired sessions, at most once a day however often it is called. */
    readonly sweep: Effect.Effect<void>
    /**
     * Revokes by either token of this client (RFC 7009); ignores unknown tokens and other clients'.
     */
    revoke(token: string, clientId: string): Effect.Effect<void>
    /** The previous consent to a confidential client, if any. */
    consented(clientId: string): Effect.Effect<string | undefined>
    /** Stores a consent, until the owner ends a session of the client. */
    rememberConsent(clientId: string, scope: string): Effect.Effect<void>
  }
>()("nacre/services/OAuthSessions") {}
