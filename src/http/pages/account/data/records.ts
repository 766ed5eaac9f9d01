import * as Effect from "effect/Effect"
import { queryValue } from "../../../../core/lexicon/params.ts"
import { tidFromMicros } from "../../../../core/repo/tid.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import type { OwnRecord } from "../../../../services/repo/ownRecords.ts"
import { type Html, html } from "../../html.ts"
import { field, hidden } from "../../parts.ts"
import { sizeInWords } from "../../text/data.ts"
import { recordList as text } from "../../text/ownData.ts"
import { type AccountPage, accountForm, framed } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { dataPage } from "./data.ts"
import { collectionName, createdIn, dataHref, pager, recordHref } from "./links.ts"

/** Records of a page. */
export const recordsAPage = 25

const day = 24 * 3_600_000

interface Search {
  readonly collection: string
  readonly key: string
  readonly day: string
  readonly after: string | undefined
}

/** The keys of a search; undefined if its day isn't one. */
const rangeOf = (search: Search) => {
  const floors: Array<string> = []
  const ends: Array<string> = []
  if (search.key !== "") {
    floors.push(search.key)
    ends.push(`${search.key}\u{10ffff}`)
  }
  if (search.day !== "") {
    const start = /^\d{4}-\d\d-\d\d$/.test(search.day) ? Date.parse(search.day) : NaN
    // Keys can express no other years.
    if (!(start >= 0 && start < Date.UTC(2255, 0))) return undefined
    floors.push(tidFromMicros(start * 1000, 0))
    ends.push(tidFromMicros((start + day) * 1000, 0))
  }
  const [from, before] = [floors.toSorted().at(-1), ends.toSorted().at(0)]
  return {
    ...(from === undefined ? {} : { from }),
    ...(before === undefined ? {} : { before })
  }
}

const searchForm = (owner: Owner, search: Search, isWrong: boolean): Html => {
  const { collection, key } = search
  const account = owner.several ? owner.account.did : undefined
  return html`<form method="get" action="/account/data/records" class="look-up" role="search">
    ${hidden({ account, collection })}
    ${field({
      name: "key",
      label: text.key,
      hint: text.keyHint,
      autocomplete: "off",
      optional: true,
      value: key,
      maxLength: 512
    })}
    ${field({
      name: "day",
      label: text.day,
      type: "date",
      hint: text.dayHint,
      autocomplete: "off",
      optional: true,
      value: search.day,
      error: isWrong ? text.badDay : undefined
    })}
    <button type="submit" class="quiet">${text.find}</button>
  </form>`
}

const row = (owner: Owner, collection: string, record: OwnRecord, at: number): Html => {
  const { rkey, excerpt = rkey, size } = record
  const about = [createdIn(rkey) ?? rkey, sizeInWords(size)].join(" · ")
  const isSelectable = owner.view.status === undefined
  return html`<li class="row">
    ${isSelectable && html`<input type="checkbox" name="r${at}" value="${rkey}" aria-label="${text.select(rkey)}" />`}
    <a class="grow" href="${recordHref(owner, `${collection}/${rkey}`)}"
      ><strong>${excerpt}</strong><small>${about}</small></a
    >
  </li>`
}

const list = (owner: Owner, collection: string, items: ReadonlyArray<OwnRecord>): Html => {
  const rows = html`<ul class="list">
    ${items.map((item, at) => row(owner, collection, item, at))}
  </ul>`
  if (owner.view.status !== undefined)
    return html`${rows}
      <p class="hint">${text.inactive}</p>`
  return accountForm(owner, {
    action: "data/delete",
    fields: { collection },
    content: html`${rows}<button type="submit" class="danger">${text.delete}</button>`
  })
}

/** `/account/data/records`: a collection's records, newest first. */
export const recordsPage: AccountPage = {
  show: Effect.fn("account.records")(function* (owner, query) {
    const collection = queryValue(query, "collection") ?? ""
    if (collection === "") return yield* dataPage.show(owner, query)
    const search: Search = {
      collection,
      key: queryValue(query, "key") ?? "",
      day: queryValue(query, "day") ?? "",
      after: queryValue(query, "after")
    }
    const { after } = search
    const range = rangeOf(search)
    const found =
      range === undefined
        ? { items: [], more: false }
        : yield* (yield* Accounts).call(owner.view.did, "ownRecords", {
            collection,
            ascending: false,
            limit: recordsAPage,
            ...range,
            ...(after === undefined ? {} : { after })
          })
    const isSearch = search.key !== "" || search.day !== ""
    const { key } = search
    const same = { collection, key, day: search.day }
    const last = found.more ? found.items.at(-1)?.rkey : undefined
    const name = collectionName(collection)
    const body = html`${name !== collection && html`<p class="lead">${collection}</p>`}
    ${searchForm(owner, search, range === undefined)}
    ${
      found.items.length === 0
        ? html`<p class="hint">${isSearch ? text.noneFound : text.none}</p>`
        : list(owner, collection, found.items)
    }
    ${pager([
      [text.newest, after && dataHref(owner, "data/records", same)],
      [text.older, last && dataHref(owner, "data/records", { ...same, after: last })],
      [text.clear, isSearch ? dataHref(owner, "data/records", { collection }) : undefined],
      [text.all, dataHref(owner, "data")]
    ])}`
    return framed(owner, { title: name, tab: "settings", body })
  })
}
