import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Jwt } from "../../core/sessions/jwt.ts"
import type { SeenFrom } from "../../core/sessions/seenFrom.ts"
import type { Level } from "../../core/sessions/sessionToken.ts"
import type { Denied } from "./Auth.ts"

/** The two tokens of a session. */
export interface Tokens {
  readonly accessJwt: string
  readonly refreshJwt: string
}

/** A stored session. */
export interface Session {
  readonly id: string
  readonly level: Level
  /** The app password that opened it. */
  readonly appPassword: string | undefined
  /** Milliseconds. */
  readonly createdAt: number
  readonly expiresAt: number
}

/** A session, and where it was opened if that is known. */
export interface SeenSession extends Session {
  readonly from: SeenFrom
}

/** The refresh token's session has ended, or the token was used before and is no longer valid. */
export class SessionEnded extends Schema.TaggedError<SessionEnded>()("SessionEnded", {
  session: Schema.String
}) {}

/**
 * The password sessions of this object's account.
 *
 * An access token is valid while its session's row exists, so ending a session is immediate. A
 * refresh token is used once; for two more hours it returns the same next token, so concurrent
 * refreshes all succeed; used later, it counts as stolen and ends its session.
 */
export class Sessions extends Context.Service<
  Sessions,
  {
    /**
     * Opens a session; beyond 1,000 sessions of the owner, or of app passwords, the oldest ends.
     */
    open(
      did: string,
      session: {
        readonly level: Level
        readonly appPassword?: string
        readonly from?: SeenFrom | undefined
        /** A sign-up opens it, so the account's history has it already. */
        readonly isFirst?: true
      }
    ): Effect.Effect<Tokens>
    /**
     * Checks an access token of this account without looking up its session; returns the session's
     * id. `now` is in milliseconds.
     */
    checkAccess(did: string, token: Jwt | undefined, now: number): Result.Result<string, Denied>
    /** Checks a refresh token on its own; with `expired`, accepts an expired one. */
    checkRefresh(
      did: string,
      token: Jwt | undefined,
      options?: { readonly expired?: boolean }
    ): Effect.Effect<{ readonly session: string; readonly token: string }, Denied>
    /** A session that has not ended. */
    find(session: string): Session | undefined
    /** The sessions that have not ended, oldest first. */
    readonly list: Effect.Effect<ReadonlyArray<SeenSession>>
    refresh(
      did: string,
      session: string,
      token: string
    ): Effect.Effect<Tokens & Session, SessionEnded>
    end(session: string): Effect.Effect<void>
    /** Ends the sessions of an app password; synchronous, for the transaction that revokes it. */
    endOfAppPassword(name: string): void
    /** Ends every session except the named one. */
    endAll(options?: { readonly except?: string }): Effect.Effect<void>
    /** Removes expired sessions, at most once a day however often it is called. */
    readonly sweep: Effect.Effect<void>
  }
>()("nacre/services/Sessions") {}
