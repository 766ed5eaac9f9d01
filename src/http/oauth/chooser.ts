import { type Html, html } from "../pages/html.ts"
import { account } from "../pages/parts.ts"

/** An account to choose. */
export interface Choice {
  readonly handle: string
  readonly href: string
  /** Whether its owner must prove themselves once more. */
  readonly signInAgain: boolean
}

/** The page on which somebody chooses between the accounts that are signed in on a device. */
export const chooserPage = (view: {
  readonly lead: string
  readonly choices: ReadonlyArray<Choice>
  /** Leads to the sign-in form. */
  readonly another: string
  readonly others?: Html | undefined
}): Html =>
  html`<h1>Choose an account</h1>
    <p class="lead">${view.lead}</p>
    <ul class="list">
      ${view.choices.map(
        ({ handle, href, signInAgain }) =>
          html`<li>
            <a href="${href}">${account(handle, signInAgain ? "Sign in again" : undefined)}</a>
          </li>`
      )}
    </ul>
    <a class="button quiet" href="${view.another}">Use another account</a>
    ${view.others}`
