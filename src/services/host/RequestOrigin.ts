import * as Context from "effect/Context"
import type { SeenFrom } from "../../core/sessions/seenFrom.ts"

/** Where the current request comes from; `operator` is set if an operator or a moderator sent it. */
export interface Origin {
  readonly from: SeenFrom
  readonly operator?: string | undefined
}

/**
 * The origin of the current request, in the Worker and in the account's object; empty for work that
 * no request started.
 *
 * The account's history names it.
 */
export const RequestOrigin = Context.Reference<Origin>("nacre/services/RequestOrigin", {
  defaultValue: () => ({ from: {} })
})
