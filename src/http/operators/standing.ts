import * as Effect from "effect/Effect"
import { reaches } from "../../core/operators/roles.ts"
import { Directory } from "../../services/accounts/Directory.ts"
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

/** Rejects what would take the last admin whose account is active: a role's end, or a deletion by an operator. */
export const keepsAnAdmin = Effect.fn("http.keepsAnAdmin")(function* (did: string) {
  const operators = yield* Operators
  if ((yield* operators.role(did)) !== "admin") return
  const directory = yield* Directory
  for (const other of yield* operators.list) {
    if (other.role !== "admin" || other.did === did) continue
    if ((yield* directory.byDid(other.did))?.status === "active") return
  }
  return yield* new OperatorRefused({ reason: "last admin" })
})
