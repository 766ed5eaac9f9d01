import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AccountCodes, type CodePurpose } from "./AccountCodes.ts"
import { AccountLimits } from "../limits/AccountLimits.ts"
import { type Account, AccountStore } from "../accounts/AccountStore.ts"
import { CodeOwners } from "./CodeOwners.ts"
import { Config, type Settings } from "../host/Config.ts"
import { type Mail, Mailer } from "./Mailer.ts"
import { codeMail, mailContext } from "./mailTexts.ts"
import { rules } from "../limits/rules.ts"

/** The account has no email address to send a code to. */
export class NoEmailAddress extends Schema.TaggedError<NoEmailAddress>()("NoEmailAddress", {}) {}

const mailOf = (
  account: Account,
  to: string,
  { purpose, code }: { readonly purpose: CodePurpose; readonly code: string },
  settings: Settings
): Mail => ({ to, purpose, ...codeMail(purpose, code, mailContext(account, settings)) })

/**
 * Creates a code and mails it to the owner; on a server without mail it is available from
 * `AccountCodes.pending`.
 */
export const mailCode = Effect.fn("mailCode")(function* (purpose: CodePurpose) {
  const account = yield* (yield* AccountStore).get
  const { did, email } = account
  const mailer = yield* Mailer
  if (email === undefined && (mailer.delivers || purpose === "confirm_email")) {
    return yield* new NoEmailAddress()
  }
  yield* (yield* AccountLimits).take(
    purpose === "auth_factor" ? rules.signInCode : rules.mailedCode,
    purpose
  )
  const codes = yield* AccountCodes
  const made = yield* codes.make(did, purpose, { readable: !mailer.delivers })
  if (purpose === "reset_password") yield* (yield* CodeOwners).put(made.code, { ...made, did })
  const mail = mailOf(account, email ?? "", made, yield* Config)
  yield* Effect.retry(mailer.send(mail), { times: 1 })
})
