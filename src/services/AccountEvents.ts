import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** Announces, through the outbox, what happened to the account of this object. */
export class AccountEvents extends Context.Service<
  AccountEvents,
  {
    /** `#account`: the account's standing as it is now. */
    readonly account: Effect.Effect<void>
    /** `#identity`: the handle or the DID document changed. */
    readonly identity: Effect.Effect<void>
    /** `#sync`: the repo's head as it is now. */
    readonly sync: Effect.Effect<void>
    /** The events of a sign-up: identity, account, commit, sync. */
    readonly signUp: Effect.Effect<void>
  }
>()("nacre/services/AccountEvents") {}
