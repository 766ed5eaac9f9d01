import { type Html, html } from "../html.ts"
import { hrefOf, type PageName } from "./frame.ts"
import type { Owner } from "./owner.ts"

/** A card that leads to a page, with a line on what is there. */
export const card = (owner: Owner, page: PageName, title: string, below: string): Html =>
  html`<li>
    <a class="leads" href="${hrefOf(owner, page)}"
      ><span class="grow"><strong>${title}</strong><small>${below}</small></span></a
    >
  </li>`
