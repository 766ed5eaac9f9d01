import * as Effect from "effect/Effect"
import { reaches } from "../../../core/operators/roles.ts"
import { Operators } from "../../../services/operators/Operators.ts"
import type { checkSignIn } from "../../accounts/adminCare.ts"
import { momentInWords } from "../account/words.ts"
import { type Html, html } from "../html.ts"
import { field } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { account as text } from "../text/consolePeople.ts"
import { consoleButton, consoleForm } from "./frame.ts"
import type { Operating } from "./operating.ts"

type Checked = Effect.Success<ReturnType<typeof checkSignIn>>

/** Why an operator can't change an account's standing; undefined if they can. */
export const closedTo = Effect.fn("console.closedTo")(function* (
  { role, view }: Operating,
  did: string
) {
  if (did === view.did) return text.notOwn
  if (reaches(role, "admin")) return undefined
  return (yield* (yield* Operators).role(did)) === undefined ? undefined : text.operators
})

/** “Can they sign in?”, with all reasons. */
export const signInAnswer = ({ canSignIn, summary, reasons, facts }: Checked): Html =>
  html`<p>
      <span class="tag ${canSignIn ? "good" : "bad"}">${canSignIn ? text.can : text.cannot}</span>
      ${summary}.
    </p>
    ${
      reasons.length > 0 &&
      html`<ul>
        ${reasons.map((reason) => html`<li>${reason}.</li>`)}
      </ul>`
    }
    <p class="hint">${frame.command} ${inTerminal(`account check ${facts.handle}`)}</p>`

/** The form that suspends an account; nothing for one that is down already. */
export const suspension = (operating: Operating, did: string, { facts }: Checked): Html | false =>
  facts.status !== "suspended" &&
  facts.status !== "takendown" &&
  html`<p class="hint">${text.suspendHint}</p>
    ${consoleForm(operating, {
      action: "account/suspend",
      fields: { did },
      content: html`${field({
          name: "why",
          label: text.suspendReason,
          autocomplete: "off",
          maxLength: 300
        })} <button type="submit" class="danger">${text.suspend}</button>`
    })}`

/** A deletion that is held back, and the button that undoes it. */
export const heldDeletion = (operating: Operating, did: string, { facts }: Checked): Html | false =>
  facts.deleteAfter !== undefined &&
  html`<p>${text.deletedOn(momentInWords(Date.parse(facts.deleteAfter)))}</p>
    ${
      reaches(operating.role, "admin") &&
      consoleButton(operating, { action: "account/keep", fields: { did }, label: text.keep })
    }`
