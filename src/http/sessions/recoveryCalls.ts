import * as Effect from "effect/Effect"
import { AccountCodes } from "../../services/mail/AccountCodes.ts"
import { deleteAccount } from "../../services/accounts/AccountDeletion.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { mailCode } from "../../services/mail/MailedCodes.ts"
import { resetPassword } from "../../services/sessions/PasswordReset.ts"

/** What the account's object does for those who have no session. */
export const recoveryCalls = {
  requestPasswordReset: () => mailCode("reset_password"),
  resetPassword,
  deleteAccount,
  pendingCodes: Effect.fnUntraced(function* () {
    const { did } = yield* (yield* AccountStore).get
    return yield* (yield* AccountCodes).pending(did)
  })
}
