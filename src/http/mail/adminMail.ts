import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Config } from "../../services/host/Config.ts"
import { NoEmailAddress } from "../../services/mail/MailedCodes.ts"
import { Mailer } from "../../services/mail/Mailer.ts"
import { testMail } from "../../services/mail/mailTexts.ts"
import { noteAct } from "../CurrentRequest.ts"
import { entryOf } from "../accounts/adminAccounts.ts"
import { adminInput, forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** Sends a test mail to an account's address. */
export const sendTestMail = Effect.fn("http.sendTestMail")(function* (account: string) {
  const { did, email } = yield* entryOf(account)
  yield* noteAct({ subject: did })
  if (email === undefined) return yield* new NoEmailAddress()
  const mailer = yield* Mailer
  const { brand, host, publicUrl } = yield* Config
  const mail = testMail({ server: brand.name ?? host, color: brand.color, publicUrl })
  yield* mailer.send({ to: email, purpose: "test", ...mail })
  return { to: email, sent: mailer.delivers }
})

const Input = Schema.Struct({ account: Schema.String })

/** POST `/admin/mail/test`: sends a test mail to the address of `account`. */
export const adminTestMail = Effect.fn("http.adminTestMail")(function* (request: Request) {
  yield* forAdministrator(request, "admin/mail/test")
  const { account } = yield* adminInput(request, Input, "account is needed")
  return ownAnswer(yield* sendTestMail(account))
})
