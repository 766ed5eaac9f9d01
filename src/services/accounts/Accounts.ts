import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CallFailure, CallInput, CallName, CallOutput } from "./AccountCalls.ts"

/** The account's object could not be reached, or failed. */
export class AccountUnavailable extends Schema.TaggedError<AccountUnavailable>()(
  "AccountUnavailable",
  { operation: Schema.String, did: Schema.String }
) {}

/** Logs why an account's object failed, and fails; a caller can't know what the object did before. */
export const unavailable = (operation: string, did: string, reason: unknown) =>
  Effect.andThen(
    Effect.logError("account object unavailable", { operation, did }, reason),
    new AccountUnavailable({ operation, did })
  )

/** Reaches an account's object by DID: one object per DID, wherever it runs. */
export class Accounts extends Context.Service<
  Accounts,
  {
    /** Forwards a whole XRPC request to the account's object. */
    forward(did: string, request: Request): Effect.Effect<Response, AccountUnavailable>
    /**
     * The same without a fiber, with the request's id; rejects if the object fails.
     *
     * Only where an object is called through the platform.
     */
    forwardNow?(did: string, request: Request, id: string): Promise<Response>
    /** Asks the account's object at a URL that is no client's, as the one above. */
    askNow?(
      did: string,
      url: string,
      headers: Readonly<Record<string, string>> | undefined
    ): Promise<Response>
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
