import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Jwt } from "../../core/sessions/jwt.ts"
import type { AccessGrant } from "../../core/oauth/accessToken.ts"
import type { Proof } from "../../core/oauth/dpop.ts"
import type { ClientAuth } from "../../core/oauth/types.ts"
import type { OAuthDenied } from "../sessions/Auth.ts"

/** The code or refresh token is unknown, used before, or its session is over; or the account is closed to apps. */
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

/** An app's session: what a person let it do. */
export interface OAuthSession {
  readonly id: string
  readonly clientId: string
  readonly clientAuth: ClientAuth
  /** Thumbprint of the DPoP key. */
  readonly jkt: string
  /** What was agreed to, `include:` as it was asked for. */
  readonly scope: string
  /** What the tokens hold: `include:` expanded. */
  readonly granted: string
  /** The device on which consent was given. */
  readonly device: string
  readonly createdAt: number
  readonly refreshedAt: number
  /** When its refresh token is over; milliseconds. */
  readonly expiresAt: number
}

/** What a new session is made of. */
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
  /** When the person agreed; milliseconds. */
  readonly agreedAt: number
}

/** The tokens of an OAuth session; `expiresIn` is in seconds. */
export interface OAuthTokens {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly expiresIn: number
  readonly granted: string
}

/**
 * Whether a proof is good for this call: not used before, used, or too old to say.
 *
 * A proof that holds a nonce with the `mark` in it is never too old.
 */
export type ProofUse =
  | { readonly kind: "fresh" }
  | { readonly kind: "used" }
  | { readonly kind: "unsure"; readonly mark: string }

/**
 * The OAuth sessions of the account in this object, and what its owner has agreed to.
 *
 * An access token (15 minutes) is good while its session's row exists. A refresh token is good once, and gives the
 * same answer for half a minute to the same key; shown later, it ends the session. Public clients' sessions end two weeks after they began; confidential
 * clients' refresh tokens live 180 days each. Only hashes are stored.
 */
export class OAuthSessions extends Context.Service<
  OAuthSessions,
  {
    /**
     * An id is opened once, and not after it was ended: a code that came twice opens nothing. Beyond 1,000 the oldest ends.
     */
    open(did: string, session: NewOAuthSession): Effect.Effect<OAuthTokens, GrantEnded>
    /** The session of a refresh token, without using it; a replayed one ends its session. `jkt` is the caller's key. */
    peek(refreshToken: string, jkt: string): Effect.Effect<OAuthSession, GrantEnded>
    /** Uses a refresh token: new tokens, with `granted` in them. Two at once with the same key get one answer. */
    refresh(
      did: string,
      refreshToken: string,
      use: { readonly clientId: string; readonly jkt: string; readonly granted: string }
    ): Effect.Effect<OAuthTokens, GrantEnded>
    /** Checks an access token of this account by itself, without its session and its proof. */
    checkAccess(did: string, token: Jwt | undefined): Effect.Effect<AccessGrant, OAuthDenied>
    /** A session that has not ended; synchronous: each request asks. */
    find(id: string): OAuthSession | undefined
    readonly list: Effect.Effect<ReadonlyArray<OAuthSession>>
    /** Ends a session; what was agreed to for its client is forgotten. */
    end(id: string): Effect.Effect<void>
    /** Ends every session, those too that were agreed to before and are not opened yet. */
    readonly endAll: Effect.Effect<void>
    /** Uses a DPoP proof of this session's key, which has been checked by itself. */
    useProof(session: string, proof: Proof): Effect.Effect<ProofUse>
    /** Removes expired sessions, once a day: the alarm asks as often as it rings. */
    readonly sweep: Effect.Effect<void>
    /** Revokes by either token of this client (RFC 7009); what is unknown, or another's, changes nothing. */
    revoke(token: string, clientId: string): Effect.Effect<void>
    /** What was agreed to for a confidential client before, if anything. */
    consented(clientId: string): Effect.Effect<string | undefined>
    /** Remembers what was agreed to; forgotten when a session of the client is ended by its owner. */
    rememberConsent(clientId: string, scope: string): Effect.Effect<void>
  }
>()("nacre/services/OAuthSessions") {}
