import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import { Accounts, Rejected } from "../../services/accounts/Accounts.ts"

/** What the Worker calls on an account's object. */
export interface AccountStub {
  fetch(request: Request): Promise<Response>
  call(method: keyof AccountCalls, input: unknown): Promise<CallAnswer>
}

type WireFailure = Pick<Rejected, "status" | "error" | "message" | "headers">

/** The answer of an internal call: failures are values, because errors do not survive the way back whole. */
export type CallAnswer = { readonly output: unknown } | { readonly rejected: WireFailure }

/** Accounts in their Durable Objects, reached by stubs. */
export const layer = (stubOf: (did: string) => AccountStub): Layer.Layer<Accounts> => {
  const reach = <A>(operation: string, did: string, use: (stub: AccountStub) => Promise<A>) =>
    Effect.tryPromise(() => use(stubOf(did))).pipe(
      // Not tried again: a write may have been done before the object broke off.
      Effect.tapError((failure) =>
        Effect.logError("account object unavailable", { operation, did }, failure)
      ),
      Effect.mapError(
        () =>
          new Rejected({
            status: 503,
            error: "ServiceUnavailable",
            message: "The account cannot be reached at the moment"
          })
      )
    )

  return Layer.succeed(
    Accounts,
    Accounts.of({
      forward: (did, request) => reach("forward", did, (stub) => stub.fetch(request)),
      call: Effect.fnUntraced(function* <K extends keyof AccountCalls>(
        did: string,
        method: K,
        input: AccountCalls[K]["input"]
      ) {
        const answer = yield* reach(method, did, (stub) => stub.call(method, input))
        if ("rejected" in answer) return yield* new Rejected(answer.rejected)
        // SAFETY: the object ran this very method.
        return answer.output as AccountCalls[K]["output"]
      })
    })
  )
}
