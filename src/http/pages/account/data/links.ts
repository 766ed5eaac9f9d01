import { isTid, tidToMicros } from "../../../../core/repo/tid.ts"
import { type Html, html } from "../../html.ts"
import { collectionNames } from "../../text/ownData.ts"
import { type PageName, pathOf } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { momentInWords } from "../words.ts"

/** The address of a page or file of the owner's data. */
export const dataHref = (
  { several, account }: Owner,
  page: PageName | "data/blob" | "data/json",
  query: Readonly<Record<string, string>> = {}
): string => pathOf(page, { account: several ? account.did : "", ...query })

/** The address of a record's page, by its path. */
export const recordHref = (owner: Owner, path: string): string => {
  const slash = path.indexOf("/")
  const query = { collection: path.slice(0, slash), key: path.slice(slash + 1) }
  return dataHref(owner, "data/record", query)
}

/** A collection in plain words, or its name. */
export const collectionName = (collection: string): string =>
  Object.hasOwn(collectionNames, collection) ? collectionNames[collection]! : collection

/** When a record was created, by its key; undefined if the key doesn't tell. */
export const createdIn = (rkey: string): string | undefined =>
  isTid(rkey) ? momentInWords(Math.floor(tidToMicros(rkey) / 1000)) : undefined

/** Links to other pages of a list. */
export const pager = (
  links: ReadonlyArray<readonly [label: string, href: string | undefined]>
): Html =>
  html`<p class="hint tools">
    ${links.map(([label, href]) => href !== undefined && html`<a href="${href}">${label}</a>`)}
  </p>`

/** The values of numbered fields, such as `r0` and `r1`. */
export const numbered = (
  form: ReadonlyMap<string, string>,
  letter: string,
  most: number
): ReadonlyArray<string> =>
  Array.from({ length: most }, (_, n) => form.get(`${letter}${n}`)).filter(
    (value) => value !== undefined
  )
