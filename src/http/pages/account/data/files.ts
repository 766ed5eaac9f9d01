import * as Effect from "effect/Effect"
import { queryValue } from "../../../../core/lexicon/params.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import type { OwnBlob } from "../../../../services/blobs/BlobIndex.ts"
import { type Html, html } from "../../html.ts"
import { note, type Wrong } from "../../parts.ts"
import { common } from "../../text/common.ts"
import { sizeInWords } from "../../text/data.ts"
import { files as text, recordList } from "../../text/ownData.ts"
import { type AccountPage, accountForm, type Action, done, framed } from "../frame.ts"
import { shown } from "../../layout.ts"
import type { Owner } from "../owner.ts"
import { collectionName, dataHref, numbered, pager, recordHref } from "./links.ts"
import { isShown, preview } from "./preview.ts"

/** Files of a page. */
export const filesAPage = 24

const row = (owner: Owner, blob: OwnBlob, at: number): Html => {
  const { cid, mimeType, size, refs, isTakenDown } = blob
  return html`<li class="row">
    ${refs === 0 && !isTakenDown && html`<input type="checkbox" name="f${at}" value="${cid}" aria-label="${text.select(cid)}" />`}
    ${isTakenDown ? html`<span class="preview">${text.takenDown}</span>` : preview(owner, { ...blob, alt: "" })}
    <a class="grow" href="${dataHref(owner, "data/file", { cid })}"
      ><strong>${text.usedBy(refs)}</strong><small>${text.below(mimeType, size)}</small
      ><small>${text.ending(cid)}</small></a
    >
  </li>`
}

const isCursor = (after: string | undefined): after is string =>
  after !== undefined && /^[13]:[a-z0-9]{1,128}$/.test(after)

const filesBody = Effect.fnUntraced(function* (
  owner: Owner,
  after: string | undefined,
  wrong?: Wrong
) {
  const from = isCursor(after) ? { cursor: after } : {}
  const page = { limit: filesAPage, ...from }
  const { items, cursor } = yield* (yield* Accounts).call(owner.view.did, "ownBlobs", page)
  const rows = html`<ul class="list">
    ${items.map((blob, at) => row(owner, blob, at))}
  </ul>`
  const hasUnused = items.some(({ refs, isTakenDown }) => refs === 0 && !isTakenDown)
  const list = hasUnused
    ? accountForm(owner, {
        action: "data/discard",
        content: html`${rows}<button type="submit" class="danger">${text.discard}</button>`
      })
    : rows
  const body = html`<p class="lead">${text.lead}</p>
    ${items.length === 0 ? html`<p class="hint">${text.none}</p>` : list}
    ${pager([
      [text.first, from.cursor && dataHref(owner, "data/files")],
      [text.more, cursor && dataHref(owner, "data/files", { after: cursor })],
      [recordList.all, dataHref(owner, "data")]
    ])}`
  return framed(owner, { title: text.title, tab: "settings", body, wrong })
})

/** `/account/data/files`: the account's blobs, unused ones first. */
export const filesPage: AccountPage = {
  show: (owner, query) => filesBody(owner, queryValue(query, "after"))
}

const users = Effect.fnUntraced(function* (
  owner: Owner,
  { cid, refs }: OwnBlob,
  cursor: string | undefined
) {
  if (refs === 0) return html`<p class="hint">${text.notUsed}</p>`
  const wish = cursor === undefined ? { cid } : { cid, cursor }
  const found = yield* (yield* Accounts).call(owner.view.did, "blobUsers", wish)
  const { items } = found
  // All of them are known: no need to look further.
  const isAll = cursor === undefined && items.length >= refs
  return html`<ul class="list">
      ${items.slice(0, 100).map((path) => {
        const [collection = ""] = path.split("/", 1)
        return html`<li>
          <a class="leads" href="${recordHref(owner, path)}"
            ><span class="grow"
              ><strong>${collectionName(collection)}</strong
              ><small>${path.slice(collection.length + 1)}</small></span
            ></a
          >
        </li>`
      })}
    </ul>
    ${items.length === 0 && html`<p class="hint">${text.notFound}</p>`}
    ${!isAll && pager([[text.look, found.cursor && dataHref(owner, "data/file", { cid, after: found.cursor })]])}`
})

/** `/account/data/file`: one blob and the records that use it. */
export const filePage: AccountPage = {
  show: Effect.fn("account.file")(function* (owner, query) {
    const cid = queryValue(query, "cid") ?? ""
    if (cid === "") return yield* filesPage.show(owner, query)
    const blob = yield* (yield* Accounts).call(owner.view.did, "ownBlob", cid)
    const back = pager([[text.title, dataHref(owner, "data/files")]])
    if (blob === undefined) {
      const body = html`${note("warn", text.missing)} ${back}`
      return { ...framed(owner, { title: text.file, tab: "settings", body }), status: 404 }
    }
    const { mimeType, size, refs, isTakenDown } = blob
    const href = dataHref(owner, "data/blob", { cid })
    const body = html`${isTakenDown && note("warn", text.takenDown)}
      ${
        !isTakenDown &&
        (isShown(blob)
          ? html`<img class="whole" src="${href}" alt="${text.preview}" />`
          : html`<p class="hint">${text.noPreview}</p>`)
      }
      <dl class="facts">
        <dt>${text.cid}</dt>
        <dd><code>${blob.cid}</code></dd>
        <dt>${text.type}</dt>
        <dd>${mimeType}</dd>
        <dt>${text.size}</dt>
        <dd>${sizeInWords(size)}</dd>
      </dl>
      ${!isTakenDown && html`<a class="button quiet" href="${href}" download>${text.download}</a>`}
      <h2>${text.usedIn}</h2>
      ${yield* users(owner, blob, queryValue(query, "after"))}
      ${
        refs === 0 &&
        !isTakenDown &&
        accountForm(owner, {
          action: "data/discard",
          fields: { f0: blob.cid },
          content: html`<button type="submit" class="danger">${text.submit(1)}</button>`
        })
      }
      ${back}`
    return framed(owner, { title: text.file, tab: "settings", body })
  })
}

/** Deletes uploads that no record uses, after a question. */
export const discardFiles: Action = {
  page: "data/files",
  run: Effect.fn("account.discardFiles")(function* (owner, form) {
    const cids = numbered(form, "f", filesAPage)
    if (cids.length === 0) {
      return shown(yield* filesBody(owner, undefined, { text: text.noneSelected }))
    }
    if (form.get("confirmed") === "yes") {
      const deleted = yield* (yield* Accounts).call(owner.view.did, "discardBlobs", cids)
      return done("data/files", deleted < new Set(cids).size ? "files-kept" : "files-deleted")
    }
    const fields = { ...Object.fromEntries(cids.map((cid, n) => [`f${n}`, cid])), confirmed: "yes" }
    const body = html`<p class="lead">${text.warning}</p>
      <div class="pictures">${cids.map((cid) => html`<code>${cid}</code>`)}</div>
      ${accountForm(owner, {
        action: "data/discard",
        fields,
        content: html`<div class="pair">
          <a class="button quiet" href="${dataHref(owner, "data/files")}">${common.cancel}</a>
          <button type="submit" class="danger">${text.submit(cids.length)}</button>
        </div>`
      })}`
    return shown(framed(owner, { title: text.discarding(cids.length), tab: "settings", body }))
  })
}
