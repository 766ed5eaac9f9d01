import type {
  ComAtprotoServerConfirmEmail as ConfirmEmail,
  ComAtprotoServerUpdateEmail as UpdateEmail
} from "@atproto/api"
import type { Authority } from "../../services/sessions/Authority.ts"
import {
  confirmEmail,
  requestEmailUpdate,
  updateEmail
} from "../../services/accounts/EmailAddress.ts"
import { mailCode } from "../../services/mail/MailedCodes.ts"
import { type Call, method } from "../Xrpc.ts"
import { owner } from "../accounts/readableAccount.ts"
import { rules } from "../../services/limits/rules.ts"

/** The reference also lets app passwords confirm the address. */
const managesEmail = {
  ...owner,
  oauth: () => [{ resource: "account", attr: "email", action: "manage" }]
} as const satisfies Authority

const requestConfirmation = method(
  "com.atproto.server.requestEmailConfirmation",
  { at: "account", authority: managesEmail, limits: [rules.mailedCode] },
  () => mailCode("confirm_email")
)

const confirm = method(
  "com.atproto.server.confirmEmail",
  { at: "account", authority: managesEmail },
  ({ input }: Call<ConfirmEmail.QueryParams, ConfirmEmail.InputSchema>) => confirmEmail(input)
)

const requestUpdate = method(
  "com.atproto.server.requestEmailUpdate",
  { at: "account", authority: owner, limits: [rules.mailedCode] },
  requestEmailUpdate
)

const update = method(
  "com.atproto.server.updateEmail",
  { at: "account", authority: owner, limits: [rules.updateEmail] },
  ({ input }: Call<UpdateEmail.QueryParams, UpdateEmail.InputSchema>) => updateEmail(input)
)

/** Methods that confirm and change the account's email address with mailed codes. */
export const emailMethods = [requestConfirmation, confirm, requestUpdate, update]
