import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { calledName, typedText } from "../../core/identity/calledName.ts"
import { AccountCodes, codePurposes } from "../mail/AccountCodes.ts"
import { AccountLimits } from "../limits/AccountLimits.ts"
import { AccountLock } from "./AccountLock.ts"
import { type Account, AccountStore } from "./AccountStore.ts"
import { Directory } from "./Directory.ts"
import { mailCode } from "../mail/MailedCodes.ts"
import { Mailer } from "../mail/Mailer.ts"
import { fitEmail } from "./signUp/fields.ts"
import { rules } from "../limits/rules.ts"

/** The address to confirm is not the account's. */
export class InvalidEmail extends Schema.TaggedError<InvalidEmail>()("InvalidEmail", {}) {}

/** Changing a confirmed address requires a mailed code. */
export class TokenRequired extends Schema.TaggedError<TokenRequired>()("TokenRequired", {}) {}

/** Codes can't be mailed at sign-in: the server sends no mail, or the address isn't confirmed. */
export class EmailFactorRefused extends Schema.TaggedError<EmailFactorRefused>()(
  "EmailFactorRefused",
  { reason: Schema.Literals(["no mail", "unconfirmed", "new address"]) }
) {}

/** Confirms the account's address with a code that was mailed there. */
export const confirmEmail = Effect.fn("confirmEmail")(function* (input: {
  readonly email: string
  readonly token: string
}) {
  const accounts = yield* AccountStore
  const { email } = yield* accounts.get
  if (email === undefined || email !== calledName(input.email)) {
    return yield* new InvalidEmail()
  }
  // A change of address revokes the code in the same turn, so it can't confirm another.
  yield* (yield* AccountCodes).use("confirm_email", input.token)
  const now = yield* Clock.currentTimeMillis
  yield* accounts.update({ emailConfirmedAt: new Date(now).toISOString() })
})

/**
 * Starts a change of address: mails a code if the current one is confirmed, and returns whether it
 * did.
 */
export const requestEmailUpdate = Effect.fn("requestEmailUpdate")(function* () {
  const { email, emailConfirmedAt } = yield* (yield* AccountStore).get
  const tokenRequired = email !== undefined && emailConfirmedAt !== undefined
  if (tokenRequired) yield* mailCode("update_email")
  return { tokenRequired }
})

/**
 * Replaces the account's address, as unconfirmed, and revokes codes that were sent to the old one.
 */
const putEmail = Effect.fnUntraced(function* (account: Account, email: string) {
  yield* (yield* Directory).setEmail(account.did, email)
  if (email === account.email) return
  // A code can't be mailed to an address that nobody has confirmed, so the factor ends with it.
  const unproven = { emailConfirmedAt: undefined, emailFactorAt: undefined }
  const before = account.email === undefined ? {} : { before: account.email }
  yield* (yield* AccountStore).update(
    { email, ...unproven },
    { kind: "email", ...before, after: email }
  )
  yield* (yield* AccountCodes).revoke(codePurposes)
})

/** Turns mailed codes at sign-in on, or with a mailed code off. */
const putEmailFactor = Effect.fnUntraced(function* (account: Account, on: boolean, token: string) {
  const accounts = yield* AccountStore
  if (on === (account.emailFactorAt !== undefined)) return
  if (on) {
    if (!(yield* Mailer).delivers) {
      return yield* new EmailFactorRefused({ reason: "no mail" })
    }
    if (account.email === undefined || account.emailConfirmedAt === undefined) {
      return yield* new EmailFactorRefused({ reason: "unconfirmed" })
    }
    const now = yield* Clock.currentTimeMillis
    yield* accounts.update(
      { emailFactorAt: new Date(now).toISOString() },
      { kind: "email-factor-on" }
    )
    return
  }
  if (token === "") {
    yield* mailCode("update_email")
    return yield* new TokenRequired()
  }
  const codes = yield* AccountCodes
  yield* codes.use("update_email", token)
  yield* accounts.update({ emailFactorAt: undefined }, { kind: "email-factor-off" })
  yield* codes.revoke(["auth_factor"])
})

/** Turns mailed codes at sign-in on or off; without a token, turning them off mails one. */
export const changeEmailFactor = Effect.fn("changeEmailFactor")(function* (input: {
  readonly on: boolean
  readonly token: string
}) {
  const change = Effect.flatMap(
    Effect.flatMap(AccountStore, (accounts) => accounts.get),
    (account) => putEmailFactor(account, input.on, typedText(input.token))
  )
  yield* (yield* AccountLock).alone(change)
})

/**
 * Changes the account's address, which requires a code if the old one was confirmed; or, for the
 * same address, turns mailed codes at sign-in on or off.
 */
export const updateEmail = Effect.fn("updateEmail")(function* (input: {
  readonly email: string
  readonly token?: string | undefined
  readonly emailAuthFactor?: boolean | undefined
  /** The owner has just confirmed their identity, and no mail is sent: no code is needed. */
  readonly isProven?: boolean
}) {
  const { emailAuthFactor: factor } = input
  const email = yield* fitEmail(input.email)
  const change = Effect.gen(function* () {
    const account = yield* (yield* AccountStore).get
    const isConfirmed = account.email !== undefined && account.emailConfirmedAt !== undefined
    const isProtected = isConfirmed && input.isProven !== true
    const token = typedText(input.token ?? "")
    if (factor !== undefined && email === account.email) {
      return yield* putEmailFactor(account, factor, token)
    }
    if (factor === true) {
      return yield* new EmailFactorRefused({ reason: "new address" })
    }
    if (isProtected && token === "") return yield* new TokenRequired()
    // The code is used last, so it stays valid if the new address is taken.
    if (isProtected) yield* (yield* AccountCodes).check("update_email", token)
    yield* (yield* AccountLimits).take(rules.updateEmail)
    yield* putEmail(account, email)
  })
  yield* (yield* AccountLock).alone(change)
})

/** Changes the account's address for the administrator, without asking its owner. */
export const replaceEmail = Effect.fn("replaceEmail")(function* (given: string) {
  const email = yield* fitEmail(given)
  const change = Effect.flatMap(
    Effect.flatMap(AccountStore, (accounts) => accounts.get),
    (account) => putEmail(account, email)
  )
  yield* (yield* AccountLock).alone(change)
})
