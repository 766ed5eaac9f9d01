import * as Effect from "effect/Effect"
import { queryValue } from "../../../../core/lexicon/params.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import type { OwnCollection } from "../../../../services/repo/ownRecords.ts"
import { type Html, html } from "../../html.ts"
import { ownData as text } from "../../text/ownData.ts"
import { type AccountPage, card, framed, hrefOf } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { collectionName, dataHref, pager } from "./links.ts"

const row = (owner: Owner, { collection, records, bytes, exact }: OwnCollection): Html => {
  const name = collectionName(collection)
  return html`<li>
    <a class="leads" href="${dataHref(owner, "data/records", { collection })}"
      ><span class="grow"
        ><strong>${name}</strong>${name !== collection && html`<small>${collection}</small>`}<small
          >${text.size(records, bytes, exact)}</small
        ></span
      ></a
    >
  </li>`
}

/** `/account/data`: the account's collections and storage. */
export const dataPage: AccountPage = {
  show: Effect.fn("account.data")(function* (owner, query) {
    const accounts = yield* Accounts
    const { did } = owner.view
    const after = queryValue(query, "after")
    const from = after === undefined ? {} : { after }
    const found = yield* accounts.call(did, "ownCollections", from)
    const { used, quota } = yield* accounts.call(did, "storage")
    const next = found.after === undefined ? {} : { after: found.after }
    const body = html`<p class="lead">${text.lead}</p>
      <h2>${text.collections}</h2>
      ${
        found.items.length === 0
          ? html`<p class="hint">${text.noCollections}</p>`
          : html`<ul class="list">
              ${found.items.map((collection) => row(owner, collection))}
            </ul>`
      }
      ${pager([
        [text.first, after && dataHref(owner, "data")],
        [text.more, next.after && dataHref(owner, "data", next)]
      ])}
      <h2>${text.storage}</h2>
      <p>${text.used(used, quota)}</p>
      <ul class="list">
        ${card(owner, "data/files", text.files, text.filesBelow)}
      </ul>
      <p class="hint"><a href="${hrefOf(owner, "export")}">${text.download}</a></p>`
    return framed(owner, { title: text.title, tab: "settings", body })
  })
}
