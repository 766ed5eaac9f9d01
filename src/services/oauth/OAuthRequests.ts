import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { SeenFrom } from "../../core/sessions/seenFrom.ts"
import * as Schema from "effect/Schema"
import type { AuthorizationRequest, ClientAuth } from "../../core/oauth/types.ts"

/** The database of requests failed or could not be reached. */
export class OAuthStoreUnavailable extends Schema.TaggedError<OAuthStoreUnavailable>()(
  "OAuthStoreUnavailable",
  { operation: Schema.String, cause: Schema.Defect() }
) {}

/** A pushed request that waits for the user. */
export interface PendingRequest {
  readonly parameters: AuthorizationRequest
  readonly clientAuth: ClientAuth
  /** Thumbprint of the DPoP key that pushed it: the code is only valid with this key. */
  readonly jkt: string
  readonly createdAt: number
  /** Milliseconds; extended while the user is active, up to an hour after `createdAt`. */
  readonly expiresAt: number
  /** The device that opened it; no other may continue it. */
  readonly device: string | undefined
}

/** What an authorization code grants. */
export interface CodeGrant {
  readonly parameters: AuthorizationRequest
  readonly clientAuth: ClientAuth
  readonly jkt: string
  readonly did: string
  /** The scope that the user agreed to, with unexpanded `include:`. */
  readonly scope: string
  readonly device: string
  /**
   * The id of the session that the code will open, chosen beforehand, so a replay can end it.
   */
  readonly session: string
  /** Where the user agreed; codes of the version before don't say. */
  readonly from?: SeenFrom
}

/** The result of redeeming a code. */
export type Redeemed =
  | {
      readonly kind: "redeemed"
      readonly grant: CodeGrant
      /** When the code was issued, in milliseconds. */
      readonly agreedAt: number
    }
  /** The code was used before: end what it opened. */
  | { readonly kind: "replayed"; readonly did: string; readonly session: string }
  | { readonly kind: "unknown" }

type Answer<A> = Effect.Effect<A, OAuthStoreUnavailable>

/**
 * The host's pushed requests and authorization codes. Only hashes of ids and codes are stored.
 *
 * Each step is one statement, which only one of two concurrent callers wins.
 */
export class OAuthRequests extends Context.Service<
  OAuthRequests,
  {
    /** Stores a request for five minutes; returns its `request_uri`. */
    push(request: {
      readonly parameters: AuthorizationRequest
      readonly clientAuth: ClientAuth
      readonly jkt: string
    }): Answer<{ readonly requestUri: string; readonly expiresIn: number }>
    /**
     * The request, if it exists and has not expired; binds it to the first device that opens it,
     * and extends it.
     */
    open(requestUri: string, device: string): Answer<PendingRequest | undefined>
    /** Removes the request and returns it, so it is accepted or rejected once. */
    take(requestUri: string, device: string): Answer<PendingRequest | undefined>
    /** Creates a code that works once within a minute. */
    createCode(grant: CodeGrant): Answer<string>
    redeem(code: string): Answer<Redeemed>
    /** Uses a single-use key (`jti`, `code_challenge`, a ticket); false if it was used before. */
    useOnce(key: string, expiresAt: number): Answer<boolean>
  }
>()("nacre/services/OAuthRequests") {}
