import * as Effect from "effect/Effect"
import type { CallInput } from "../../../services/accounts/AccountCalls.ts"
import { Accounts } from "../../../services/accounts/Accounts.ts"
import type { CodePurpose } from "../../../services/mail/AccountCodes.ts"
import { Mailer } from "../../../services/mail/Mailer.ts"
import { codesFor } from "../../mail/ownCodes.ts"
import type { Failure } from "../../errors.ts"
import { type Child, type Html, html } from "../html.ts"
import { type Page, shown } from "../layout.ts"
import { copyable, fieldIn, note, type Wrong } from "../parts.ts"
import { type Action, done, type Handled, type PageName } from "./frame.ts"
import type { Owner } from "./owner.ts"
import { wrongOf } from "./refusal.ts"
import { common } from "../text/common.ts"
import { codes as text } from "../text/settings.ts"

/** The button that mails a code to the owner's address. */
export const codeButton = (address: string | undefined): Html =>
  html`<button type="submit" class="quiet">
    ${address === undefined ? text.send : text.sendTo(address)}
  </button>`

/** The code that an app has asked for, on a server that mails none. */
export const waitingCode = Effect.fnUntraced(function* (
  { view }: Owner,
  purposes: ReadonlyArray<CodePurpose>,
  warning: string = text.warning
) {
  const codes = yield* codesFor(view.did)
  return codes
    .filter(({ purpose }) => purposes.includes(purpose))
    .map(({ purpose, code }) =>
      note(
        "warn",
        html`<p>${text.waiting(text.purposes[purpose] ?? purpose)}</p>
          <p>${copyable(code)}</p>
          <p>${warning}</p>`
      )
    )
})

/** The field for a code that was sent. */
export const codeField = (wrong?: Wrong, typed?: string, hint: Child = text.hintByMail): Html =>
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
    return done(page, delivers ? "code-mailed" : "code-ready")
  })
})
