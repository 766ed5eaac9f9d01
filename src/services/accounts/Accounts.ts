import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AccountCalls } from "./AccountCalls.ts"

/** An account's object refused, or could not be reached (503): the answer as it goes over the wire. */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", {
  status: Schema.Finite,
  error: Schema.String,
  message: Schema.String,
  headers: Schema.optional(Schema.Record(Schema.String, Schema.String))
}) {}

/** Reaches the object of an account by its DID: one object per DID, wherever it runs. */
export class Accounts extends Context.Service<
  Accounts,
  {
    /** Hands a whole XRPC request to the account's object. */
    forward(did: string, request: Request): Effect.Effect<Response, Rejected>
    /** Calls one internal method of the account's object. */
    call<K extends keyof AccountCalls>(
      did: string,
      method: K,
      input: AccountCalls[K]["input"]
    ): Effect.Effect<AccountCalls[K]["output"], Rejected>
  }
>()("nacre/services/Accounts") {}
