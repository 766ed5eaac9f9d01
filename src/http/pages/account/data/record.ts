import * as Effect from "effect/Effect"
import { queryValue } from "../../../../core/lexicon/params.ts"
import {
  type Json,
  type JsonMap,
  readable,
  type Readable,
  seenAt,
  type ShownBlob
} from "../../../../core/repo/readable.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Config } from "../../../../services/host/Config.ts"
import { type Html, html } from "../../html.ts"
import { pageHeaders } from "../../layout.ts"
import { note } from "../../parts.ts"
import { sizeInWords } from "../../text/data.ts"
import { record as text } from "../../text/ownData.ts"
import { type AccountPage, accountForm, type Download, framed } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { dataPage } from "./data.ts"
import { collectionName, createdIn, dataHref, pager } from "./links.ts"
import { preview } from "./preview.ts"

/** Characters of a record's JSON and of a field on its page, and the most fields. */
const shownJson = 50_000
const shownField = 500
const shownFields = 200

const isWeb = (uri: string): boolean => /^https?:\/\/[^\s]+$/.test(uri) && URL.canParse(uri)

const linkRow = ({ kind, to }: Readable["links"][number]): Html => {
  const href = isWeb(to) ? to : seenAt(to)
  const shown =
    href === undefined ? to : html`<a href="${href}" rel="noreferrer nofollow">${to}</a>`
  return html`<dt>${text.links[kind]}</dt>
    <dd>${shown}</dd>`
}

const picture = (owner: Owner, { cid, mimeType, alt }: ShownBlob): Html =>
  html`<figure>
    <a href="${dataHref(owner, "data/file", { cid })}"
      >${preview(owner, { cid, mimeType, alt: alt ?? mimeType })}</a
    >
    ${alt !== undefined && html`<figcaption>${alt}</figcaption>`}
  </figure>`

const readView = (owner: Owner, { texts, blobs, links }: Readable): Html =>
  html`${texts.map((said) => html`<p class="said">${said}</p>`)}
  ${blobs.length > 0 && html`<div class="pictures">${blobs.map((blob) => picture(owner, blob))}</div>`}
  ${links.length > 0 && html`<dl class="facts">${links.map(linkRow)}</dl>`}`

const fieldText = (value: Json): string => {
  const full = typeof value === "string" ? value : JSON.stringify(value)
  return full.length > shownField ? `${full.slice(0, shownField)}…` : full
}

const fieldTable = (record: JsonMap): Html =>
  html`<h2>${text.fields}</h2>
    <dl class="facts">
      ${Object.entries(record)
        .slice(0, shownFields)
        .map(
          ([name, value]) =>
            html`<dt>${name.slice(0, shownField)}</dt>
              <dd>${fieldText(value)}</dd>`
        )}
    </dl>`

const jsonView = (owner: Owner, query: Readonly<Record<string, string>>, record: Json): Html => {
  const pretty = JSON.stringify(record, null, 2)
  return html`<h2>${text.json}</h2>
    <pre>${pretty.slice(0, shownJson)}</pre>
    ${pretty.length > shownJson && html`<p class="hint">${text.cut}</p>`}
    <a class="button quiet" href="${dataHref(owner, "data/json", query)}">${text.downloadJson}</a>`
}

/** The record that an address names. */
const named = Effect.fnUntraced(function* (owner: Owner, query: URLSearchParams) {
  const collection = queryValue(query, "collection") ?? ""
  const key = queryValue(query, "key") ?? ""
  if (collection === "" || key === "") return undefined
  const { did } = owner.view
  const found = yield* (yield* Accounts).call(did, "ownRecord", `${collection}/${key}`)
  return { collection, key, found }
})

/** `/account/data/record`: one record, to read and as JSON. */
export const recordPage: AccountPage = {
  show: Effect.fn("account.record")(function* (owner, query) {
    const wanted = yield* named(owner, query)
    if (wanted === undefined) return yield* dataPage.show(owner, query)
    const { collection, key, found } = wanted
    const back = pager([
      [collectionName(collection), dataHref(owner, "data/records", { collection })]
    ])
    if (found === undefined) {
      const body = html`${note("warn", text.missing)} ${back}`
      return { ...framed(owner, { title: text.title, tab: "settings", body }), status: 404 }
    }
    const uri = `at://${owner.view.did}/${collection}/${key}`
    // SAFETY: the account's object wrote it.
    const record = JSON.parse(found.json) as JsonMap
    const read = readable(collection, record)
    const seen = found.isTakenDown ? undefined : seenAt(uri)
    const created = createdIn(key)
    const body = html`${found.isTakenDown && note("warn", text.takenDown)}
      ${read === undefined ? fieldTable(record) : readView(owner, read)}
      <dl class="facts">
        <dt>${text.address}</dt>
        <dd><code>${uri}</code></dd>
        ${
          created !== undefined &&
          html`<dt>${text.created}</dt>
            <dd>${created}</dd>`
        }
        <dt>${text.version}</dt>
        <dd><code>${found.cid}</code></dd>
        <dt>${text.size}</dt>
        <dd>${sizeInWords(found.size)}</dd>
      </dl>
      ${seen !== undefined && html`<p><a href="${seen}" rel="noreferrer">${text.seeOn}</a></p>`}
      ${jsonView(owner, { collection, key }, record)}
      ${
        owner.view.status === undefined &&
        accountForm(owner, {
          action: "data/delete",
          fields: { collection, r0: key },
          content: html`<button type="submit" class="danger">${text.delete}</button>`
        })
      }
      ${back}`
    return framed(owner, { title: text.title, tab: "settings", body })
  })
}

/** `/account/data/json`: a record's JSON as a file. */
export const downloadJson: Download = {
  page: "data",
  open: Effect.fn("account.downloadJson")(function* (owner, query) {
    const wanted = yield* named(owner, query)
    if (wanted?.found === undefined) return undefined
    const name = `${wanted.collection}-${wanted.key}`.replace(/[^\w.-]/g, "_").slice(0, 150)
    return new Response(wanted.found.json, {
      headers: {
        ...pageHeaders(yield* Config),
        "content-type": "application/json; charset=utf-8",
        "content-disposition": `attachment; filename="${name}.json"`,
        "content-security-policy": "default-src 'none'; sandbox"
      }
    })
  })
}
