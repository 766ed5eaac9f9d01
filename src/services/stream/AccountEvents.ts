import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** Announces, through the outbox, what happened to the account of this object. */
export class AccountEvents extends Context.Service<
  AccountEvents,
  {
    /** `#account`: the account's standing as it is now. */
    readonly account: Effect.Effect<void>
    /** `#account`, the last event of all: the account is deleted. */
    readonly deleted: Effect.Effect<void>
    /** `#identity`: the handle or the DID document changed. */
    readonly identity: Effect.Effect<void>
    /** `#sync`: the repo's head as it is now. */
    readonly sync: Effect.Effect<void>
    /** The events of a sign-up (identity, account, commit, sync), once: asking again does nothing. */
    readonly signUp: Effect.Effect<void>
    /** This account will not be announced as a new one: it moves in. */
    readonly noSignUp: Effect.Effect<void>
    /** Whether a sign-up is still to be announced. */
    readonly owesSignUp: Effect.Effect<boolean>
  }
>()("nacre/services/AccountEvents") {}
