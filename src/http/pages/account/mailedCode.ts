import * as Effect from "effect/Effect"
import type { AccountCalls } from "../../../services/accounts/AccountCalls.ts"
import { Accounts, type Rejected } from "../../../services/accounts/Accounts.ts"
import { Mailer } from "../../../services/mail/Mailer.ts"
import { type Child, type Html, html } from "../html.ts"
import type { Page } from "../layout.ts"
import { field } from "../parts.ts"
import { type Action, done, type Handled, type PageName, shown } from "./frame.ts"
import type { Owner } from "./owner.ts"
import { refusalOf } from "./refusal.ts"
import { common } from "../text/common.ts"
import { codes as text } from "../text/settings.ts"
import { forgotten } from "../text/signIn.ts"

const hintOf = (unmailed: Child) =>
  Effect.map(Mailer, ({ delivers }): Child => (delivers ? text.hintByMail : unmailed))

/** How the account's owner comes to the code that was sent. */
export const codeHint = hintOf(text.hintWithoutMail)

/** The same for somebody who cannot sign in. */
export const forgottenCodeHint = hintOf(forgotten.hintWithoutMail)

/** The button that has a code sent to an address, or made where no mail goes out. */
export const codeButton = (address: string | undefined) =>
  Effect.map(
    Mailer,
    ({ delivers }) =>
      html`<button type="submit" class="quiet">
        ${delivers && address !== undefined ? text.sendTo(address) : text.create}
      </button>`
  )

/** The field for a code that was sent. */
export const codeField = (hint: Child, invalid = false): Html =>
  field({
    name: "code",
    label: common.code,
    autocomplete: "one-time-code",
    hint,
    invalid,
    maxLength: 32
  })

/** Why a code is not taken, by the error's name. */
export const wrongCodes = {
  InvalidToken: text.wrong,
  ExpiredToken: text.expired
} as const

/** What a form says when a code was refused, or what was to be done by it. */
export const codeRefusal = (rejected: Rejected): Effect.Effect<string, Rejected> =>
  refusalOf(rejected, (wrongCodes as Readonly<Record<string, string>>)[rejected.error])

/** What kept the account's object from doing something, in words; undefined when it was done. */
export const refusedBy = <R>(call: Effect.Effect<void, Rejected, R>) =>
  call.pipe(
    Effect.as(undefined),
    Effect.catch((rejected) => codeRefusal(rejected))
  )

/** Sends the owner a code for something on a page. */
export const sendsCode = (
  page: PageName,
  purpose: AccountCalls["requestCode"]["input"]["purpose"],
  formPage: (owner: Owner, message: string) => Handled<Page>
): Action => ({
  proof: true,
  page,
  run: Effect.fn("account.sendCode")(function* (owner) {
    const accounts = yield* Accounts
    const refused = yield* refusedBy(accounts.call(owner.view.did, "requestCode", { purpose }))
    if (refused !== undefined) return shown(yield* formPage(owner, refused))
    const { delivers } = yield* Mailer
    return done(page, delivers ? "code-mailed" : "code-waits")
  })
})
