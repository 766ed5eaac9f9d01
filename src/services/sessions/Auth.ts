import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { missing } from "../../core/oauth/scopes.ts"
import type { Permission } from "../../core/oauth/types.ts"
import * as Soon from "../host/Soon.ts"
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
    /**
     * The caller: at once for sessions, and for apps whose key has signed before. A proof is used
     * up then, so the request has to be answered with this result; an effect that isn't run has
     * changed nothing.
     */
    judge(
      credentials: Credentials,
      authority: Authority,
      nsid: string
    ): Soon.Soon<Caller, Denied | OAuthDenied>
    /**
     * Checks again, without the credentials, a caller whose body has come since: its session may
     * have ended meanwhile, or its account's status changed.
     */
    recheck(caller: Caller, authority: Authority): Result.Result<Caller, Denied | OAuthDenied>
  }
>()("nacre/services/Auth") {}

/** The caller of a method with this authority. */
export const authenticate = (credentials: Credentials, authority: Authority, nsid: string) =>
  Effect.flatMap(Auth, (auth) => Soon.toEffect(auth.judge(credentials, authority, nsid)))

/** The caller once the body has come. An operator's token, unlike an app's proof, works twice. */
export const judgeAgain = (
  caller: Caller,
  credentials: Credentials,
  authority: Authority,
  nsid: string
) =>
  caller.kind === "operator"
    ? authenticate(credentials, authority, nsid)
    : Effect.flatMap(Auth, (auth) => Effect.fromResult(auth.recheck(caller, authority)))

/** Rejects an app whose token lacks one of these permissions; other callers pass. */
export const permit = (
  caller: Caller,
  permissions: ReadonlyArray<Permission>
): Result.Result<void, Denied> => {
  const scope = caller.kind === "oauth" ? missing(caller.granted, permissions) : undefined
  if (scope === undefined) return Result.succeed(undefined)
  const message = `Missing required scope "${scope}"`
  const scheme = isBearer(caller) ? "Bearer" : "DPoP"
  return Result.fail(new Denied({ error: "ScopeMissingError", message, scope, scheme }))
}

/** Whether the caller presented a token without a proof. */
const isBearer = (caller: Caller): boolean =>
  caller.kind === "oauth" && caller.clientId === undefined
