import type { EmailFactorRefused } from "../../services/accounts/EmailAddress.ts"
import { badRequest, type WireError } from "../wire.ts"

const noMailedCodes: Readonly<Record<EmailFactorRefused["reason"], string>> = {
  "no mail": "This server sends no email, so it can't mail codes at sign-in",
  unconfirmed: "Confirm the account's email address before codes go to it",
  "new address": "Change and confirm the email address before codes go to it"
}

/** The error for a rejected change of mailed codes. */
export const emailFactorRefusedError = ({ reason }: EmailFactorRefused): WireError =>
  badRequest("InvalidRequest", noMailedCodes[reason])

/** The error for removing an account's only way to sign in. */
export const lastPasskeyError = (): WireError =>
  badRequest(
    "InvalidRequest",
    "This is your only way in. Set a password or add another passkey first."
  )
