import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** Emits events about this object's account through the outbox. */
export class AccountEvents extends Context.Service<
  AccountEvents,
  {
    /** `#account`: the account's current status. */
    readonly account: Effect.Effect<void>
    /** `#account`, the last event of all: the account is deleted. */
    readonly deleted: Effect.Effect<void>
    /** `#identity`: the handle or the DID document changed. */
    readonly identity: Effect.Effect<void>
    /** `#sync`: the repo's current head. */
    readonly sync: Effect.Effect<void>
    /** The events of a sign-up (identity, account, commit, sync), once; later calls do nothing. */
    readonly signUp: Effect.Effect<void>
    /** Marks the account as not to be announced as new, because it moves in. */
    readonly noSignUp: Effect.Effect<void>
    /** Whether the sign-up still has to be announced. */
    readonly owesSignUp: Effect.Effect<boolean>
  }
>()("nacre/services/AccountEvents") {}
