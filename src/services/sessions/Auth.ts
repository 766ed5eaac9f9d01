import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Permission } from "../../core/oauth/types.ts"
import type { Authority, Caller } from "./Authority.ts"

/** The protocol's error names for unauthorized callers. */
const denials = [
  "AuthMissing",
  "InvalidToken",
  "ExpiredToken",
  "AuthenticationRequired",
  "AuthFactorTokenRequired",
  "AccountTakedown",
  "AccountDeactivated",
  "AccountNotFound",
  "Forbidden",
  "ScopeMissingError",
  "BadJwt",
  "BadJwtType",
  "BadJwtAudience",
  "BadJwtLexiconMethod",
  "BadJwtIss",
  "BadJwtSignature",
  "JwtExpired",
  "UntrustedIss"
] as const

/** The caller may not do this; `error` is the name in the response. */
export class Denied extends Schema.TaggedError<Denied>()("Denied", {
  error: Schema.Literals(denials),
  message: Schema.String,
  /** The scope that an app's token lacks. */
  scope: Schema.optional(Schema.String),
  /** How that token was presented. */
  scheme: Schema.optional(Schema.Literals(["Bearer", "DPoP"]))
}) {}

/** The error names of RFC 6750 and RFC 9449 for an OAuth app's credentials. */
const oauthDenials = ["invalid_token", "invalid_dpop_proof", "use_dpop_nonce"] as const

/**
 * An access token or its DPoP proof is invalid; the client refreshes or sends a new proof,
 * depending on `error`.
 */
export class OAuthDenied extends Schema.TaggedError<OAuthDenied>()("OAuthDenied", {
  error: Schema.Literals(oauthDenials),
  message: Schema.String,
  /** The nonce for the next proof, if the usual one isn't enough. */
  nonce: Schema.optionalKey(Schema.String)
}) {}

/** A request's credential headers, for the object that can check them. */
export interface Credentials {
  readonly authorization?: string
  readonly dpop?: string
  readonly method: string
  readonly url: string
}

/** Whether a request only reads: the protocol's queries are GET requests. */
export const isQuery = ({ method }: Pick<Credentials, "method">): boolean =>
  method === "GET" || method === "HEAD"

/** Checks a request's credentials against its method's requirements. */
export class Auth extends Context.Service<
  Auth,
  {
    authenticate(
      credentials: Credentials,
      authority: Authority,
      nsid: string
    ): Effect.Effect<Caller, Denied | OAuthDenied>
    /**
     * Returns the caller if it uses a plain session of an active account, without waiting; undefined
     * for all others, which `authenticate` checks.
     */
    sessionNow(
      credentials: Pick<Credentials, "authorization">,
      authority: Authority
    ): Caller | undefined
    /**
     * Checks again, without the credentials, a caller whose body has come since: its session may
     * have ended meanwhile, or its account's status changed.
     */
    recheck(caller: Caller, authority: Authority): Result.Result<Caller, Denied | OAuthDenied>
    /** Rejects an app whose token lacks one of these permissions; other callers pass. */
    permit(caller: Caller, permissions: ReadonlyArray<Permission>): Effect.Effect<void, Denied>
  }
>()("nacre/services/Auth") {}
