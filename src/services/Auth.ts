import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Credentials } from "./AccountCalls.ts"
import type { Authority, Caller } from "./Authority.ts"

/** The protocol's names for a caller turned away. */
const denials = [
  "AuthMissing",
  "InvalidToken",
  "ExpiredToken",
  "AuthenticationRequired",
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
  message: Schema.String
}) {}

/** Judges the credentials of a request against what its method demands. */
export class Auth extends Context.Service<
  Auth,
  {
    authenticate(
      credentials: Credentials,
      authority: Authority,
      nsid: string
    ): Effect.Effect<Caller, Denied>
  }
>()("nacre/services/Auth") {}
