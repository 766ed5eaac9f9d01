import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AccountCodes } from "./AccountCodes.ts"
import { AccountLock } from "./AccountLock.ts"
import { AccountStore } from "./AccountStore.ts"
import { Directory } from "./Directory.ts"
import { mailCode } from "./MailedCodes.ts"
import { fitEmail } from "./signUp/fields.ts"

/** The address that is to be confirmed is not the account's. */
export class InvalidEmail extends Schema.TaggedError<InvalidEmail>()("InvalidEmail", {}) {}

/** A confirmed address is changed by a mailed code alone. */
export class TokenRequired extends Schema.TaggedError<TokenRequired>()("TokenRequired", {}) {}

/** Confirms the account's address by a code that was mailed there. */
export const confirmEmail = Effect.fn("confirmEmail")(function* (input: {
  readonly email: string
  readonly token: string
}) {
  const accounts = yield* AccountStore
  const { email } = yield* accounts.get
  if (email === undefined || email !== input.email.trim().toLowerCase()) {
    return yield* new InvalidEmail()
  }
  // A change of the address revokes the code in its own turn: it is never another's.
  yield* (yield* AccountCodes).use("confirm_email", input.token)
  yield* accounts.update({ emailConfirmed: true })
})

/** Begins a change of the address: a confirmed one is mailed a code; answers whether. */
export const requestEmailUpdate = Effect.fn("requestEmailUpdate")(function* () {
  const { email, emailConfirmed } = yield* (yield* AccountStore).get
  const tokenRequired = email !== undefined && emailConfirmed
  if (tokenRequired) yield* mailCode("update_email")
  return { tokenRequired }
})

/** Gives the account another address, which is then to be confirmed; codes sent to the one before are void. */
export const updateEmail = Effect.fn("updateEmail")(function* (input: {
  readonly email: string
  readonly token?: string | undefined
}) {
  const email = yield* fitEmail(input.email)
  const accounts = yield* AccountStore
  const codes = yield* AccountCodes
  const directory = yield* Directory
  const change = Effect.gen(function* () {
    const account = yield* accounts.get
    const isProtected = account.email !== undefined && account.emailConfirmed
    const token = input.token?.trim() ?? ""
    if (isProtected && token === "") return yield* new TokenRequired()
    if (isProtected) yield* codes.check("update_email", token)
    // The code is used last: one whose new address is somebody's already stays good for another.
    yield* directory.setEmail(account.did, email)
    if (email === account.email) return
    yield* accounts.update({ email, emailConfirmed: false })
    yield* codes.revoke(["update_email", "confirm_email", "reset_password"])
  })
  yield* (yield* AccountLock).alone(change)
})
