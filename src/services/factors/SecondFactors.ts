import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The code is wrong, used before, or of another time. */
export class WrongCode extends Schema.TaggedError<WrongCode>()("WrongCode", {}) {}

/** Too many wrong codes; good ones are not looked at for a while either. */
export class TooManyCodes extends Schema.TaggedError<TooManyCodes>()("TooManyCodes", {
  retryAfterSeconds: Schema.Finite
}) {}

/** There is no such thing to change: no authenticator was begun, none is on. */
export class NoAuthenticator extends Schema.TaggedError<NoAuthenticator>()("NoAuthenticator", {}) {}

/** The account's authenticator (TOTP) and its recovery codes. */
export class SecondFactors extends Context.Service<
  SecondFactors,
  {
    /** Whether a password alone does not open a session. */
    readonly isOn: Effect.Effect<boolean>
    readonly status: Effect.Effect<{
      readonly authenticatorSince: number | undefined
      readonly recoveryCodesLeft: number
    }>
    /** Makes a secret and keeps it, not yet in force; begins anew when asked again. */
    begin(did: string): Effect.Effect<{ readonly secret: string }>
    /** Puts the begun secret in force by its first code; answers ten recovery codes, told this once. */
    confirm(
      did: string,
      code: string
    ): Effect.Effect<ReadonlyArray<string>, WrongCode | TooManyCodes | NoAuthenticator>
    /** Ends the authenticator and its recovery codes. */
    readonly disable: Effect.Effect<void>
    /** New recovery codes in place of the old. */
    readonly renewRecoveryCodes: Effect.Effect<ReadonlyArray<string>, NoAuthenticator>
    /** Uses a code of the authenticator or a recovery code: each is good once. */
    use(
      did: string,
      code: string
    ): Effect.Effect<"authenticator" | "recovery", WrongCode | TooManyCodes>
    /** Counts a code that was refused after the right password; true with the twelfth within a day, once in that day. */
    readonly isOwnerToBeTold: Effect.Effect<boolean>
    /** The owner could not be told: the next code that is refused asks for it again. */
    readonly ownerWasNotTold: Effect.Effect<void>
  }
>()("nacre/services/SecondFactors") {}
