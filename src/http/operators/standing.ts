import * as Effect from "effect/Effect"
import { reaches } from "../../core/operators/roles.ts"
import { OperatorRefused, Operators } from "../../services/operators/Operators.ts"
import { CurrentRequest } from "../CurrentRequest.ts"

/**
 * Rejects a change of an operator's standing by anyone below an admin, and of one's own; the
 * administrator's password may change any.
 */
export const mayChangeStanding = Effect.fn("http.mayChangeStanding")(function* (did: string) {
  const { operator } = yield* CurrentRequest
  if (operator === "password") return
  if (operator === did) return yield* new OperatorRefused({ reason: "own account" })
  const operators = yield* Operators
  if ((yield* operators.role(did)) === undefined) return
  // A moderation service has no role.
  const own = operator === undefined ? undefined : yield* operators.role(operator)
  if (own !== undefined && reaches(own, "admin")) return
  return yield* new OperatorRefused({ reason: "operator" })
})
