import * as Effect from "effect/Effect"
import { entryOf } from "../../accounts/adminAccounts.ts"
import type { Form } from "../browser.ts"
import { account as text } from "../text/consolePeople.ts"
import { accountView } from "./account.ts"
import { type ConsoleAction, type Handled, type Outcome } from "./frame.ts"
import { shown } from "../layout.ts"
import type { Rejected } from "../parts.ts"
import type { Operating } from "./operating.ts"

/** The account that a form is about. */
export const didIn = (form: Form): string => form.get("did") ?? ""

/** The account's page, with the reason why its form was rejected. */
export const rejected = (operating: Operating, did: string, of: Rejected) =>
  Effect.map(accountView(operating, did, of), shown)

/** An act that an operator can't do to their own account. */
export const toOthers =
  (
    run: (
      operating: Operating,
      account: { readonly did: string; readonly handle: string },
      form: Form
    ) => Handled<Outcome>
  ): ConsoleAction["run"] =>
  (operating, form) =>
    Effect.gen(function* () {
      const entry = yield* entryOf(didIn(form))
      return entry.did === operating.view.did
        ? yield* rejected(operating, entry.did, { wrong: { text: text.notOwn }, typed: {} })
        : yield* run(operating, entry, form)
    })
