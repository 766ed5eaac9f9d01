import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CallFailure, CallInput, CallName, CallOutput } from "./AccountCalls.ts"

/** The account's object could not be reached, or failed. */
export class AccountUnavailable extends Schema.TaggedError<AccountUnavailable>()(
  "AccountUnavailable",
  { operation: Schema.String, did: Schema.String }
) {}

/** Reaches an account's object by DID: one object per DID, wherever it runs. */
export class Accounts extends Context.Service<
  Accounts,
  {
    /** Forwards a whole XRPC request to the account's object. */
    forward(did: string, request: Request): Effect.Effect<Response, AccountUnavailable>
    /**
     * Calls one internal method of the account's object; its failures arrive with their own types.
     */
    call<K extends CallName>(
      did: string,
      method: K,
      ...input: CallInput<K>
    ): Effect.Effect<CallOutput<K>, CallFailure<K> | AccountUnavailable>
  }
>()("nacre/services/Accounts") {}
