import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AccountCodes, type CodePurpose } from "./AccountCodes.ts"
import { AccountLimits } from "../limits/AccountLimits.ts"
import { type Account, AccountStore } from "../accounts/AccountStore.ts"
import { CodeOwners } from "./CodeOwners.ts"
import { Config, type Settings } from "../host/Config.ts"
import { type Mail, Mailer } from "./Mailer.ts"

/** A mail is asked for by an account that has no address for it. */
export class NoEmailAddress extends Schema.TaggedError<NoEmailAddress>()("NoEmailAddress", {}) {}

/** How often the codes of one purpose may be asked for. */
const codeLimits = [
  { limit: 5, windowSeconds: 3600 },
  { limit: 15, windowSeconds: 86_400 }
]

const words = {
  confirm_email: {
    subject: "Confirm your e-mail address",
    use: "confirm that this is your e-mail address"
  },
  update_email: {
    subject: "Change your e-mail address",
    use: "change the e-mail address of your account"
  },
  reset_password: { subject: "Reset your password", use: "choose a new password" },
  delete_account: {
    subject: "Delete your account",
    use: "delete your account, with everything that is in it, for ever"
  },
  plc_operation: {
    subject: "Change your identity",
    use: "let another server or key act for your identity (a PLC operation)"
  }
} as const satisfies Record<CodePurpose, { readonly subject: string; readonly use: string }>

const mailOf = (
  { handle }: Account,
  to: string,
  { purpose, code }: { readonly purpose: CodePurpose; readonly code: string },
  { brand, host, publicUrl }: Settings
): Mail => {
  const { subject, use } = words[purpose]
  const lines = [
    `Hello @${handle},`,
    `somebody who uses your account on ${publicUrl} wants to ${use}.`,
    `If it is you, enter this code within 15 minutes:`,
    `    ${code}`,
    `If it is not you, do nothing, and give the code to nobody.`
  ]
  return {
    to,
    subject: `${subject} (${brand.name ?? host})`,
    text: `${lines.join("\n\n")}\n`,
    purpose
  }
}

/** Makes a code for the owner of the account and mails it; where no mail goes out, it waits to be read (`AccountCodes.pending`). */
export const mailCode = Effect.fn("mailCode")(function* (purpose: CodePurpose) {
  const account = yield* (yield* AccountStore).get
  const { did, email } = account
  const mailer = yield* Mailer
  if (email === undefined && (mailer.delivers || purpose === "confirm_email")) {
    return yield* new NoEmailAddress()
  }
  yield* (yield* AccountLimits).take(`code ${purpose}`, codeLimits)
  const codes = yield* AccountCodes
  const made = yield* codes.make(did, purpose, { readable: !mailer.delivers })
  if (purpose === "reset_password") yield* (yield* CodeOwners).put(made.code, { ...made, did })
  const mail = mailOf(account, email ?? "", made, yield* Config)
  yield* Effect.retry(mailer.send(mail), { times: 1 })
})
