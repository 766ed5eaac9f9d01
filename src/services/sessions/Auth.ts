import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Permission } from "../../core/oauth/types.ts"
import type { Authority, Caller } from "./Authority.ts"

/** The protocol's names for a caller turned away. */
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

/** The caller may not do this; `error` is the name on the wire. */
export class Denied extends Schema.TaggedError<Denied>()("Denied", {
  error: Schema.Literals(denials),
  message: Schema.String,
  /** The scope that an app's token lacks. */
  scope: Schema.optional(Schema.String)
}) {}

/** What is wrong with the credentials of an OAuth app, by the names of RFC 6750 and RFC 9449. */
const oauthDenials = ["invalid_token", "invalid_dpop_proof", "use_dpop_nonce"] as const

/** An access token or the DPoP proof beside it is not taken; a client reads `error`, and refreshes or proves anew. */
export class OAuthDenied extends Schema.TaggedError<OAuthDenied>()("OAuthDenied", {
  error: Schema.Literals(oauthDenials),
  message: Schema.String,
  /** The nonce that the next proof must hold, where the one that every answer carries would not do. */
  nonce: Schema.optionalKey(Schema.String)
}) {}

/** The credential headers of a request, handed on to the object that can judge them. */
export interface Credentials {
  readonly authorization?: string
  readonly dpop?: string
  readonly method: string
  readonly url: string
}

/** Judges the credentials of a request against what its method demands. */
export class Auth extends Context.Service<
  Auth,
  {
    authenticate(
      credentials: Credentials,
      authority: Authority,
      nsid: string
    ): Effect.Effect<Caller, Denied | OAuthDenied>
    /** Turns away an app whose token lacks one of these permissions; nobody else is bound by them. */
    permit(caller: Caller, permissions: ReadonlyArray<Permission>): Effect.Effect<void, Denied>
  }
>()("nacre/services/Auth") {}
