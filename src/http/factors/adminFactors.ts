import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { entryOf } from "../accounts/adminAccounts.ts"
import { noteAct } from "../CurrentRequest.ts"
import { adminInput, forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** Turns an account's authenticator off for an owner who lost it, and mails the owner. */
export const resetFactor = Effect.fn("http.resetFactor")(function* (account: string) {
  const { did, handle } = yield* entryOf(account)
  yield* noteAct({ subject: did, before: { authenticator: true }, after: { authenticator: false } })
  const { mailed } = yield* (yield* Accounts).call(did, "resetAuthenticator")
  return { did, handle, mailed }
})

const Input = Schema.Struct({ account: Schema.String })

/** POST `/admin/factors/reset`: turns the authenticator of `account` off. */
export const adminResetFactor = Effect.fn("http.adminResetFactor")(function* (request: Request) {
  yield* forAdministrator(request, "admin/factors/reset")
  const { account } = yield* adminInput(request, Input, "account is needed")
  return ownAnswer(yield* resetFactor(account))
})
