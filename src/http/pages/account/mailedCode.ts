import * as Effect from "effect/Effect"
import type { CallInput } from "../../../services/accounts/AccountCalls.ts"
import { Accounts } from "../../../services/accounts/Accounts.ts"
import { Mailer } from "../../../services/mail/Mailer.ts"
import type { Failure } from "../../errors.ts"
import { type Child, type Html, html } from "../html.ts"
import type { Page } from "../layout.ts"
import { fieldIn, type Wrong } from "../parts.ts"
import { type Action, done, type Handled, type PageName, shown } from "./frame.ts"
import type { Owner } from "./owner.ts"
import { wrongOf } from "./refusal.ts"
import { common } from "../text/common.ts"
import { codes as text } from "../text/settings.ts"
import { forgotten } from "../text/signIn.ts"

const hintOf = (unmailed: Child) =>
  Effect.map(Mailer, ({ delivers }): Child => (delivers ? text.hintByMail : unmailed))

/** How the owner gets the code that was sent. */
export const codeHint = hintOf(text.hintWithoutMail)

/** The same for people who can't sign in. */
export const forgottenCodeHint = hintOf(forgotten.hintWithoutMail)

/** The button that sends a code to an address, or creates one on a server without mail. */
export const codeButton = (address: string | undefined) =>
  Effect.map(
    Mailer,
    ({ delivers }) =>
      html`<button type="submit" class="quiet">
        ${delivers && address !== undefined ? text.sendTo(address) : text.create}
      </button>`
  )

/** The field for a code that was sent. */
export const codeField = (hint: Child, wrong?: Wrong, typed?: string): Html =>
  fieldIn(wrong, {
    name: "code",
    label: common.code,
    autocomplete: "one-time-code",
    // A wrong code must be typed again; one that wasn't checked yet stays.
    value: wrong?.field === "code" ? undefined : typed,
    hint,
    maxLength: 32
  })

const ofTheCode: ReadonlySet<Failure["_tag"]> = new Set(["CodeInvalid", "CodeExpired"])

/** The error of a call that needs a code, with its field; undefined on success. */
export const refusedBy = <E extends Failure, R>(call: Effect.Effect<void, E, R>, field?: string) =>
  call.pipe(
    Effect.as(undefined),
    Effect.catch((failure) => wrongOf(failure, ofTheCode.has(failure._tag) ? "code" : field))
  )

/** Sends the owner a code for something on a page. */
export const sendsCode = (
  page: PageName,
  purpose: CallInput<"requestCode">[0]["purpose"],
  formPage: (owner: Owner, wrong: Wrong) => Handled<Page>
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
