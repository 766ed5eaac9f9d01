import * as Effect from "effect/Effect"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import { deleteByCode } from "../../services/accounts/AccountDeletion.ts"
import { deactivate } from "../../services/accounts/AccountStatus.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { confirmEmail, updateEmail } from "../../services/accounts/EmailAddress.ts"
import { changeOwnHandle } from "../../services/identity/HandleChange.ts"
import { mailCode } from "../../services/mail/MailedCodes.ts"

type Input<K extends keyof AccountCalls> = AccountCalls[K]["input"]

/** What the account's object does for its owner on the pages of the account, besides the ways in. */
export const ownershipCalls = {
  requestCode: ({ purpose }: Input<"requestCode">) => mailCode(purpose),
  confirmEmail: Effect.fnUntraced(function* ({ code }: Input<"confirmEmail">) {
    const { email = "" } = yield* (yield* AccountStore).get
    yield* confirmEmail({ email, token: code })
  }),
  updateEmail: ({ email, code }: Input<"updateEmail">) => updateEmail({ email, token: code }),
  updateHandle: ({ handle }: Input<"updateHandle">) => changeOwnHandle(handle),
  deactivate: ({ deleteAfter }: Input<"deactivate">) => deactivate(deleteAfter),
  deleteByCode
}
