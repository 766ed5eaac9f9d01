import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AuthorizationRequest, ClientAuth } from "../../core/oauth/types.ts"

/** The database of requests could not be reached or failed. */
export class OAuthStoreUnavailable extends Schema.TaggedError<OAuthStoreUnavailable>()(
  "OAuthStoreUnavailable",
  { operation: Schema.String, cause: Schema.Defect() }
) {}

/** A pushed request, waiting for its person. */
export interface PendingRequest {
  readonly parameters: AuthorizationRequest
  readonly clientAuth: ClientAuth
  /** Thumbprint of the DPoP key that pushed it: the code is good for that key alone. */
  readonly jkt: string
  readonly createdAt: number
  /** Milliseconds; moves ahead while the person is busy with it, up to an hour after `createdAt`. */
  readonly expiresAt: number
  /** The device that opened it: no other may go on with it. */
  readonly device: string | undefined
}

/** What an authorization code stands for. */
export interface CodeGrant {
  readonly parameters: AuthorizationRequest
  readonly clientAuth: ClientAuth
  readonly jkt: string
  readonly did: string
  /** The scope that the person agreed to, `include:` not yet expanded. */
  readonly scope: string
  readonly device: string
  /** The id of the session that the code will open: known beforehand, so that a replay can end it. */
  readonly session: string
}

/** The outcome of showing a code. */
export type Redeemed =
  | {
      readonly kind: "redeemed"
      readonly grant: CodeGrant
      /** When the code was made; milliseconds. */
      readonly agreedAt: number
    }
  /** It was used before: what it opened must end. */
  | { readonly kind: "replayed"; readonly did: string; readonly session: string }
  | { readonly kind: "unknown" }

type Answer<A> = Effect.Effect<A, OAuthStoreUnavailable>

/**
 * Pushed requests and authorization codes of the host. Only hashes of ids and codes are stored.
 *
 * Each step is one statement that one of two racing callers wins.
 */
export class OAuthRequests extends Context.Service<
  OAuthRequests,
  {
    /** Keeps a request for five minutes; answers its `request_uri`. */
    push(request: {
      readonly parameters: AuthorizationRequest
      readonly clientAuth: ClientAuth
      readonly jkt: string
    }): Answer<{ readonly requestUri: string; readonly expiresIn: number }>
    /** The request, if it is there and not over; binds it to the device that first opens it, and keeps it alive. */
    open(requestUri: string, device: string): Answer<PendingRequest | undefined>
    /** Takes the request away and answers it: who accepts or rejects does so once. */
    take(requestUri: string, device: string): Answer<PendingRequest | undefined>
    /** Makes a code, good for one minute and for one use. */
    createCode(grant: CodeGrant): Answer<string>
    redeem(code: string): Answer<Redeemed>
    /** Uses something that is good once (`jti`, `code_challenge`, a ticket); false where it was used before. */
    useOnce(key: string, expiresAt: number): Answer<boolean>
  }
>()("nacre/services/OAuthRequests") {}
