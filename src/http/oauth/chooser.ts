import { type Html, html } from "../pages/html.ts"
import { account } from "../pages/parts.ts"
import { common } from "../pages/text/common.ts"
import { choose as text } from "../pages/text/signIn.ts"

/** An account to choose. */
export interface Choice {
  readonly handle: string
  readonly href: string
  /** Whether its owner must sign in again. */
  readonly signInAgain: boolean
}

/** The page to choose one of the accounts signed in on a device. */
export const chooserPage = (view: {
  readonly lead: string
  readonly choices: ReadonlyArray<Choice>
  /** The URL of the sign-in form. */
  readonly another: string
  readonly others?: Html | undefined
}): Html =>
  html`<h1>${text.title}</h1>
    <p class="lead">${view.lead}</p>
    <ul class="list">
      ${view.choices.map(
        ({ handle, href, signInAgain }) =>
          html`<li>
            <a href="${href}">${account(handle, signInAgain ? text.signInAgain : undefined)}</a>
          </li>`
      )}
    </ul>
    <a class="button quiet" href="${view.another}">${common.useAnotherAccount}</a>
    ${view.others}`
