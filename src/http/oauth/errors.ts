import { signingAlgs } from "../../core/oauth/jwk.ts"
import type { OAuthErrorName } from "../../core/oauth/types.ts"
import type { AccountUnavailable } from "../../services/accounts/Accounts.ts"
import type { BadProof } from "../../services/oauth/DpopProofs.ts"
import type { LimiterUnavailable, RateLimitExceeded } from "../../services/limits/Limiter.ts"
import type { ClientRefused, ClientUnavailable } from "../../services/oauth/OAuthClients.ts"
import type { GrantEnded } from "../../services/oauth/OAuthSessions.ts"
import type { OAuthStoreUnavailable } from "../../services/oauth/OAuthRequests.ts"
import type { PermissionSetNotFound } from "../../services/oauth/PermissionSets.ts"
import type { ClientUnproven, GrantRefused, RequestRefused } from "../../services/oauth/failures.ts"
import { wireError } from "../errors.ts"
import type {
  InvalidRequest,
  PayloadTooLarge,
  UnsupportedEncoding
} from "../../services/failures.ts"
import { jsonType } from "../responses.ts"

/** All errors of an endpoint for clients. */
export type OAuthFailure =
  | BadProof
  | ClientRefused
  | ClientUnavailable
  | ClientUnproven
  | GrantRefused
  | InvalidRequest
  | LimiterUnavailable
  | OAuthStoreUnavailable
  | PayloadTooLarge
  | PermissionSetNotFound
  | RateLimitExceeded
  | AccountUnavailable
  | GrantEnded
  | RequestRefused
  | UnsupportedEncoding

/** An error in the client's form (RFC 6749 5.2), with details for the log only. */
export interface OAuthWireError {
  readonly status: number
  readonly error: OAuthErrorName
  readonly description: string
  readonly headers?: Readonly<Record<string, string>>
  readonly reason?: unknown
}

type Wire = {
  readonly [T in OAuthFailure["_tag"]]: (
    failure: Extract<OAuthFailure, { readonly _tag: T }>
  ) => OAuthWireError
}

const bad = (error: OAuthErrorName, description: string, reason?: unknown): OAuthWireError => ({
  status: 400,
  error,
  description,
  reason
})

const unavailable = (description: string, reason: unknown): OAuthWireError => ({
  status: 503,
  error: "temporarily_unavailable",
  description,
  reason
})

/** A failure that XRPC also has: its status and headers, with the OAuth error name. */
const asInXrpc =
  (error: OAuthErrorName) =>
  (
    failure: InvalidRequest | PayloadTooLarge | UnsupportedEncoding | RateLimitExceeded
  ): OAuthWireError => {
    const { status, message, headers } = wireError(failure)
    return { status, error, description: message, ...(headers === undefined ? {} : { headers }) }
  }

/** Why a code or refresh token is rejected, without revealing whether it ever existed. */
const grantFaults: Readonly<Record<GrantRefused["fault"], string>> = {
  "unknown code": "The code is not valid",
  "used code": "The code is not valid",
  "unknown refresh token": "The refresh token is not valid",
  "other client": "It was issued to another client",
  "other client key": "The session is bound to another key of the client",
  "withdrawn client key": "The client no longer publishes the key that the session is bound to",
  "other DPoP key": "It is bound to another DPoP key",
  "other redirect_uri": "redirect_uri is not that of the authorization request",
  "wrong code_verifier": "code_verifier is not the one behind code_challenge",
  "used code_challenge": "code_challenge was used before",
  "scope not declared": "The client's metadata no longer declares the scope of the session"
}

const clientFaults: Readonly<Record<ClientUnproven["fault"], string>> = {
  "no assertion": "The client must authenticate by private_key_jwt",
  "assertion of a public client": "The client's metadata declares no authentication",
  "unknown assertion type": "client_assertion_type is not supported",
  "invalid assertion": "The client assertion is not valid",
  "unknown key": "The client assertion is not valid",
  "used assertion": "The client assertion was used before",
  "same key for DPoP": "The DPoP key must not be the key of the client assertion"
}

/** The one table from failures to responses of OAuth endpoints. */
const wire: Wire = {
  BadProof: ({ error, reason }) =>
    error === "use_dpop_nonce"
      ? bad(error, "The DPoP proof must hold the nonce of this server", reason)
      : {
          status: 401,
          error,
          description: `The DPoP proof is not valid: ${reason}`,
          headers: {
            "www-authenticate": `DPoP error="${error}", algs="${signingAlgs.join(" ")}"`
          }
        },
  ClientRefused: ({ error, reason }) => bad(error, reason),
  ClientUnavailable: ({ reason }) =>
    unavailable("The client's metadata or keys could not be fetched", reason),
  ClientUnproven: ({ fault, reason }) =>
    bad(
      "invalid_client",
      reason === undefined ? clientFaults[fault] : `${clientFaults[fault]}: ${reason}`,
      fault
    ),
  GrantRefused: ({ fault }) => bad("invalid_grant", grantFaults[fault], fault),
  InvalidRequest: asInXrpc("invalid_request"),
  LimiterUnavailable: ({ cause }) => unavailable("The rate limiter is unavailable", cause),
  OAuthStoreUnavailable: ({ operation, cause }) =>
    unavailable(`The store of requests is unavailable (${operation})`, cause),
  PayloadTooLarge: asInXrpc("invalid_request"),
  PermissionSetNotFound: ({ nsid, reason }) =>
    bad("invalid_scope", `The permission set ${nsid} could not be found`, reason),
  RateLimitExceeded: asInXrpc("temporarily_unavailable"),
  AccountUnavailable: ({ operation }) =>
    unavailable("The account is not available just now", operation),
  GrantEnded: (ended) => bad("invalid_grant", wireError(ended).message, ended.reason),
  RequestRefused: ({ error, reason }) => bad(error, reason),
  UnsupportedEncoding: asInXrpc("invalid_request")
}

/** The response for a failure. */
export const oauthError = (failure: OAuthFailure): OAuthWireError =>
  // SAFETY: the table has, for each tag, that tag's function.
  (wire[failure._tag] as (failure: OAuthFailure) => OAuthWireError)(failure)

/** An error response in the form of RFC 6749. */
export const oauthErrorResponse = ({
  status,
  error,
  description,
  headers
}: Omit<OAuthWireError, "reason">): Response =>
  new Response(JSON.stringify({ error, error_description: description }), {
    status,
    headers: { "content-type": jsonType, ...headers }
  })

/** The response to a method that a path doesn't support. */
export const notAllowed = (allow: string): Response =>
  oauthErrorResponse({
    status: 405,
    error: "invalid_request",
    description: `The method must be one of ${allow}`,
    headers: { allow }
  })
