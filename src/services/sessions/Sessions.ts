import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Jwt } from "../../core/sessions/jwt.ts"
import type { Level } from "../../core/sessions/sessionToken.ts"
import type { Denied } from "./Auth.ts"

/** The two tokens of a session. */
export interface Tokens {
  readonly accessJwt: string
  readonly refreshJwt: string
}

/** A session as it is stored. */
export interface Session {
  readonly id: string
  readonly level: Level
  /** The app password that opened it. */
  readonly appPassword: string | undefined
  /** Milliseconds. */
  readonly createdAt: number
  readonly expiresAt: number
}

/** The refresh token's session is over, or the token was used before and is no longer good. */
export class SessionEnded extends Schema.TaggedError<SessionEnded>()("SessionEnded", {
  session: Schema.String
}) {}

/**
 * The password sessions of the account in this object.
 *
 * An access token is good while its session's row exists: ending a session is immediate.
 * A refresh token is used once; for two hours more it gives the same next token again, so that
 * refreshes side by side all succeed; used later than that, it is a stolen one, and its session ends.
 */
export class Sessions extends Context.Service<
  Sessions,
  {
    /** Opens a session; beyond 1,000 of the owner's, or of app passwords, the oldest of them ends. */
    open(
      did: string,
      session: { readonly level: Level; readonly appPassword?: string }
    ): Effect.Effect<Tokens>
    /** Checks an access token of this account by itself, without its session; answers the session's id. */
    checkAccess(did: string, token: Jwt | undefined): Effect.Effect<string, Denied>
    /** Checks a refresh token by itself; with `expired` an expired one passes. */
    checkRefresh(
      did: string,
      token: Jwt | undefined,
      options?: { readonly expired?: boolean }
    ): Effect.Effect<{ readonly session: string; readonly token: string }, Denied>
    /** A session that has not ended. */
    find(session: string): Session | undefined
    /** The sessions that have not ended, the oldest first. */
    readonly list: Effect.Effect<ReadonlyArray<Session>>
    refresh(
      did: string,
      session: string,
      token: string
    ): Effect.Effect<Tokens & { readonly level: Level }, SessionEnded>
    end(session: string): Effect.Effect<void>
    /** Ends the sessions that an app password opened; synchronous, for the transaction that revokes it. */
    endOfAppPassword(name: string): void
    /** Ends every session, but for the one that is named. */
    endAll(options?: { readonly except?: string }): Effect.Effect<void>
    /** Removes expired sessions, once a day: the alarm asks as often as it rings. */
    readonly sweep: Effect.Effect<void>
  }
>()("nacre/services/Sessions") {}
