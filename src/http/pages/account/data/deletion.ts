import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { html } from "../../html.ts"
import { note } from "../../parts.ts"
import { common } from "../../text/common.ts"
import { deleting as text, recordList } from "../../text/ownData.ts"
import { accountForm, type Action, done, framed } from "../frame.ts"
import { shown } from "../../layout.ts"
import type { Owner } from "../owner.ts"
import { refusalOf } from "../refusal.ts"
import { collectionName, createdIn, dataHref, numbered, recordHref } from "./links.ts"
import { recordsAPage } from "./records.ts"

/** Why records can't be deleted, with a way back. */
const refused = (owner: Owner, collection: string, why: string) => {
  const href = dataHref(owner, "data/records", { collection })
  const body = html`${note("bad", why)}
    <p><a href="${href}">${collectionName(collection)}</a></p>`
  const page = framed(owner, { title: collectionName(collection), tab: "settings", body })
  return shown({ ...page, status: 400 })
}

const question = (owner: Owner, collection: string, rkeys: ReadonlyArray<string>) => {
  const chosen = Object.fromEntries(rkeys.map((rkey, n) => [`r${n}`, rkey]))
  const back = dataHref(owner, "data/records", { collection })
  const body = html`<p class="lead">${text.warning}</p>
    <ul>
      ${rkeys.map(
        (rkey) =>
          html`<li>
            <a href="${recordHref(owner, `${collection}/${rkey}`)}"
              >${collectionName(collection)}: ${createdIn(rkey) ?? rkey}</a
            >
          </li>`
      )}
    </ul>
    ${accountForm(owner, {
      action: "data/delete",
      fields: { collection, ...chosen, confirmed: "yes" },
      content: html`<div class="pair">
        <a class="button quiet" href="${back}">${common.cancel}</a>
        <button type="submit" class="danger">${text.submit(rkeys.length)}</button>
      </div>`
    })}`
  return shown(framed(owner, { title: text.title(rkeys.length), tab: "settings", body }))
}

/** Deletes records in one commit, after a question. */
export const deleteRecords: Action = {
  page: "data",
  run: Effect.fn("account.deleteRecords")(function* (owner, form) {
    const collection = form.get("collection") ?? ""
    const rkeys = numbered(form, "r", recordsAPage)
    if (owner.view.status !== undefined) return refused(owner, collection, recordList.inactive)
    if (rkeys.length === 0) return refused(owner, collection, text.none)
    if (form.get("confirmed") !== "yes") return question(owner, collection, rkeys)
    const wish = { collection, rkeys }
    const why = yield* (yield* Accounts).call(owner.view.did, "deleteOwnRecords", wish).pipe(
      Effect.as(undefined),
      Effect.catchTags({
        InvalidWrite: (failure) => refusalOf(failure),
        RateLimitExceeded: (failure) => refusalOf(failure),
        RepoInactive: (failure) => refusalOf(failure)
      })
    )
    return why === undefined
      ? done("data/records", "records-deleted", { collection })
      : refused(owner, collection, why)
  })
}
