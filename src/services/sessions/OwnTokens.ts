import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** An access token in a list: without the token. Times are in milliseconds. */
export interface OwnToken {
  readonly name: string
  /** What it may do, as an app's scope. */
  readonly scope: string
  readonly createdAt: number
  readonly expiresAt: number
  /** Undefined if it was never used; at most an hour old. */
  readonly usedAt?: number
}

/** The name is in use, missing or too long, or the account has the most tokens allowed. */
export class OwnTokenRefused extends Schema.TaggedError<OwnTokenRefused>()("OwnTokenRefused", {
  reason: Schema.Literals(["bad name", "name taken", "too many"]),
  limit: Schema.Int
}) {}

/** The access tokens that the owner of this object's account has made for scripts. */
export class OwnTokens extends Context.Service<
  OwnTokens,
  {
    /** Makes one; this is the only time the token is returned. */
    create(
      did: string,
      token: { readonly name: string; readonly scope: string; readonly expiresAt: number }
    ): Effect.Effect<OwnToken & { readonly token: string }, OwnTokenRefused>
    /** All of them, newest first, expired ones too. */
    readonly list: Effect.Effect<ReadonlyArray<OwnToken>>
    /** Whether a token of this name exists. */
    has(name: string): boolean
    /** Revokes one at once; ignores an unknown name. */
    revoke(name: string): Effect.Effect<void>
    /** The valid token with this text, if any; notes its use. */
    use(did: string, token: string): Effect.Effect<OwnToken | undefined>
  }
>()("nacre/services/OwnTokens") {}
