import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { calledName } from "../../core/identity/calledName.ts"
import { type Role, roles } from "../../core/operators/roles.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { OperatorRefused, Operators } from "../../services/operators/Operators.ts"
import { CurrentRequest, noteAct } from "../CurrentRequest.ts"
import { entryOf } from "../accounts/adminAccounts.ts"
import { adminInput, forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"
import { keepsAnAdmin } from "./standing.ts"

const name = "admin/operators"

/** GET `/admin/operators`: lists the accounts with a role. */
export const listOperators = Effect.fn("http.listOperators")(function* (request: Request) {
  yield* forAdministrator(request, name)
  const directory = yield* Directory
  const operators = yield* Effect.forEach(
    yield* (yield* Operators).list,
    (operator) =>
      Effect.map(directory.byDid(operator.did), (entry) => ({
        ...operator,
        handle: entry?.handle ?? null
      })),
    { concurrency: 8 }
  )
  return ownAnswer({ operators })
})

const Removal = Schema.Struct({ account: Schema.String })
const Addition = Schema.Struct({ account: Schema.String, role: Schema.Literals(roles) })

const needed = "account and a role (admin, moderator, inviter) are needed"

/** Gives a role to an account, which must have an authenticator. */
export const giveRole = Effect.fn("http.giveRole")(function* (account: string, role: Role) {
  const { did, handle } = yield* entryOf(calledName(account))
  const operators = yield* Operators
  const before = yield* operators.role(did)
  yield* noteAct({ subject: did, before: { role: before ?? null }, after: { role } })
  const { secondFactor } = yield* (yield* Accounts).call(did, "owner")
  if (!secondFactor) return yield* new OperatorRefused({ reason: "no factor" })
  if (role !== "admin") yield* keepsAnAdmin(did)
  const { operator = "password" } = yield* CurrentRequest
  yield* operators.set({ did, role, addedBy: operator })
  return { did, handle, role }
})

/** Removes an account's role. */
export const takeRole = Effect.fn("http.takeRole")(function* (account: string) {
  const entry = account.startsWith("did:") ? { did: account } : yield* entryOf(account)
  const operators = yield* Operators
  const before = yield* operators.role(entry.did)
  yield* noteAct({ subject: entry.did, before: { role: before ?? null }, after: { role: null } })
  yield* keepsAnAdmin(entry.did)
  yield* operators.remove(entry.did)
  return { did: entry.did, removed: before ?? null }
})

/** POST `/admin/operators`: gives a role to an account. */
export const setOperator = Effect.fn("http.setOperator")(function* (request: Request) {
  yield* forAdministrator(request, name)
  const { account, role } = yield* adminInput(request, Addition, needed)
  return ownAnswer(yield* giveRole(account, role))
})

/** POST `/admin/operators/remove`: removes an account's role. */
export const removeOperator = Effect.fn("http.removeOperator")(function* (request: Request) {
  yield* forAdministrator(request, name)
  const { account } = yield* adminInput(request, Removal, needed)
  return ownAnswer(yield* takeRole(account))
})
