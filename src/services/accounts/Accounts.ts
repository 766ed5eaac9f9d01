import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CallFailure, CallInput, CallName, CallOutput } from "./AccountCalls.ts"

/** The object of an account could not be reached, or broke off. */
export class AccountUnavailable extends Schema.TaggedError<AccountUnavailable>()(
  "AccountUnavailable",
  { operation: Schema.String, did: Schema.String }
) {}

/** Reaches the object of an account by its DID: one object per DID, wherever it runs. */
export class Accounts extends Context.Service<
  Accounts,
  {
    /** Hands a whole XRPC request to the account's object. */
    forward(did: string, request: Request): Effect.Effect<Response, AccountUnavailable>
    /** Calls one internal method of the account's object; its failures arrive as what they are. */
    call<K extends CallName>(
      did: string,
      method: K,
      ...input: CallInput<K>
    ): Effect.Effect<CallOutput<K>, CallFailure<K> | AccountUnavailable>
  }
>()("nacre/services/Accounts") {}
