import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The code is wrong, used, or of another time. */
export class WrongCode extends Schema.TaggedError<WrongCode>()("WrongCode", {}) {}

/** Too many wrong codes; valid ones are rejected for a while as well. */
export class TooManyCodes extends Schema.TaggedError<TooManyCodes>()("TooManyCodes", {
  retryAfterSeconds: Schema.Finite
}) {}

/** There is no pending or active authenticator to change. */
export class NoAuthenticator extends Schema.TaggedError<NoAuthenticator>()("NoAuthenticator", {}) {}

/** The account's authenticator (TOTP) and its recovery codes. */
export class SecondFactors extends Context.Service<
  SecondFactors,
  {
    /** Whether sign-in needs more than a password. */
    readonly isOn: Effect.Effect<boolean>
    readonly status: Effect.Effect<{
      readonly authenticatorSince: number | undefined
      readonly recoveryCodesLeft: number
      /** Until when every code is rejected, after too many wrong ones (ms). */
      readonly codesBlockedUntil?: number
    }>
    /** Creates and stores a secret as pending; replaces an earlier pending one. */
    begin(did: string): Effect.Effect<{ readonly secret: string }>
    /** Activates the pending secret with its first code; returns ten recovery codes, this once. */
    confirm(
      did: string,
      code: string
    ): Effect.Effect<ReadonlyArray<string>, WrongCode | TooManyCodes | NoAuthenticator>
    /** Removes the authenticator and its recovery codes. */
    readonly disable: Effect.Effect<void>
    /** Replaces the recovery codes. */
    readonly renewRecoveryCodes: Effect.Effect<ReadonlyArray<string>, NoAuthenticator>
    /** Uses an authenticator or recovery code, each once. */
    use(
      did: string,
      code: string
    ): Effect.Effect<"authenticator" | "recovery", WrongCode | TooManyCodes>
    /**
     * Counts a code rejected after the right password; true for the twelfth within a day, once in
     * that day.
     */
    readonly isOwnerToBeNotified: Effect.Effect<boolean>
    /** Warning the owner failed, so the next rejected code tries again. */
    readonly ownerWasNotNotified: Effect.Effect<void>
  }
>()("nacre/services/SecondFactors") {}
