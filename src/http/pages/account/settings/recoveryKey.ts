import * as Effect from "effect/Effect"
import { isDidKey } from "../../../../core/identity/didKey.ts"
import { queryValue } from "../../../../core/lexicon/params.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { changedKeys, maxRotationKeys } from "../../../../services/identity/ownerKeys.ts"
import { type Html, html } from "../../html.ts"
import { fieldIn, hidden, note, type Wrong } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed, hrefOf } from "../frame.ts"
import { shown } from "../../layout.ts"
import { refusedBy } from "../mailedCode.ts"
import type { Owner } from "../owner.ts"
import { keys as keysText, recoveryKey as text } from "../../text/recoveryKey.ts"
import { anotherCode, codeStep, keyList, keySubmit, type OwnerKeys, ownerKeys } from "./keyList.ts"
import { recoveryKeyScript } from "./recoveryKeyScript.ts"

/** The key that a form sets, and the one that it replaces. */
interface Wish {
  readonly key: string
  readonly replaces: string
}

/** A form that continues to the page which shows the change. */
const wishForm = (owner: Owner, attributes: Html, content: Html): Html =>
  html`<form method="get" action="/account/recovery-key" ${attributes}>
    ${hidden({ account: owner.several ? owner.account.did : undefined })} ${content}
  </form>`

/** Which of the owner's other keys the new one replaces. */
const instead = ({ keys, ours }: OwnerKeys, id: string, chosen: string): Html | undefined => {
  const others = keys.filter((key) => key !== ours)
  if (others.length === 0) return undefined
  return html`<div class="field">
    <label for="${id}">${text.instead}</label>
    <select id="${id}" name="replaces">
      <option value="">${text.keepAll}</option>
      ${others.map(
        (key) =>
          html`<option value="${key}" ${key === chosen && html` selected`}>
            ${text.replaces(key)}
          </option>`
      )}
    </select>
  </div>`
}

const making = (owner: Owner, of: OwnerKeys): Html => {
  const { handle, did } = owner.view
  const attributes = html`data-recovery-key hidden data-wrong="${text.wrongEnd}"
  data-failed="${text.failed}"`
  const made = html`<div data-made hidden>
    <p>${text.saveLead}</p>
    <p class="pair">
      <button type="button" class="quiet" data-print-key>${text.print}</button>
      <a class="button quiet" data-save download="${text.file(handle)}">${text.save}</a>
    </p>
    <div class="field">
      <label for="end">${text.typeBack}</label>
      <input
        id="end"
        type="text"
        required
        autocomplete="off"
        autocapitalize="none"
        autocorrect="off"
        spellcheck="false"
        maxlength="12"
        aria-describedby="end-hint"
      />
      <p class="hint" id="end-hint">${text.typeBackHint}</p>
    </div>
    <button type="submit">${text.continue}</button>
    <section class="print-only paper">
      <h2>${text.printed(handle)}</h2>
      <p><code>${did}</code></p>
      <p>${text.keep}</p>
      <p>${text.publicKey}<br /><code data-public></code></p>
      <p>${text.privateKey} (P-256)<br /><code data-private></code></p>
      <svg class="qr" role="img" aria-label="${text.qrCode}" shape-rendering="crispEdges"></svg>
    </section>
  </div>`
  return html`<h2>${text.here}</h2>
    <p>${text.hereLead}</p>
    ${wishForm(
      owner,
      attributes,
      html`<input type="hidden" name="key" value="" />
        ${instead(of, "replaces-made", "")}
        <button type="button" data-make>${text.make}</button>
        ${made}
        <p class="error" role="alert" data-status></p>`
    )}
    <noscript><p class="hint">${text.needsJavaScript}</p></noscript>`
}

const bringing = (owner: Owner, of: OwnerKeys, wish?: Wish, wrong?: Wrong): Html =>
  html`<h2>${text.own}</h2>
    <p>${text.ownLead}</p>
    ${wishForm(
      owner,
      html``,
      html`${fieldIn(wrong, {
          name: "key",
          label: text.didKey,
          autocomplete: "off",
          value: wish?.key,
          maxLength: 256
        })}
        ${instead(of, "replaces", wish?.replaces ?? "")}
        <button type="submit" class="quiet">${text.continue}</button>`
    )}`

const choosePage = (owner: Owner, of: OwnerKeys, wish?: Wish, wrong?: Wrong) =>
  framed(owner, {
    title: text.title,
    tab: "settings",
    wrong,
    script: recoveryKeyScript,
    body: html`<p class="lead">${text.lead}</p>
      ${note("warn", text.keep)} ${making(owner, of)} ${bringing(owner, of, wish, wrong)}`
  })

const reviewPage = Effect.fnUntraced(function* (
  owner: Owner,
  { keys, ours }: OwnerKeys,
  { key, replaces }: Wish,
  { isSent = false, wrong }: { readonly isSent?: boolean; readonly wrong?: Wrong | undefined } = {}
) {
  const after = changedKeys(keys, { first: key, without: replaces })
  const button = html`<button type="submit">${text.set}</button>`
  const isRemoved = replaces !== key && keys.includes(replaces)
  return framed(owner, {
    title: text.reviewTitle,
    tab: "settings",
    wrong,
    body: html`<p class="lead">${text.reviewLead}</p>
      ${keyList({ keys: after, ours }, (one) => one === key && html`<span class="tag good">${text.isNew}</span>`)}
      ${isRemoved && html`<p>${text.removed(replaces)}</p>`}
      ${keys.indexOf(ours) > 0 && html`<p class="hint">${text.undone}</p>`}
      ${accountForm(owner, {
        action: "recovery-key",
        fields: { key, replaces },
        content: yield* keySubmit(owner, button, { isSent, wrong })
      })}
      ${anotherCode(owner, { action: "recovery-key", fields: { key, replaces }, isSent })}
      <p class="hint"><a href="${hrefOf(owner, "recovery-key")}">${text.again}</a></p>`
  })
})

/** Why a key can't become the first; undefined if it can. */
const faultOf = ({ key, replaces }: Wish, { keys, ours }: OwnerKeys): string | undefined => {
  if (!isDidKey(key)) return text.notAKey
  if (key === ours) return text.isOurs
  const after = changedKeys(keys, { first: key, without: replaces })
  if (after.join() === keys.join()) return text.isFirst
  return after.length > maxRotationKeys ? text.full : undefined
}

const wishOf = (value: (name: string) => string | undefined, ours: string): Wish => {
  const replaces = value("replaces") ?? ""
  return { key: (value("key") ?? "").trim(), replaces: replaces === ours ? "" : replaces }
}

const notice = (owner: Owner, body: Html) =>
  framed(owner, { title: keysText.title, tab: "settings", body })

/** `/account/recovery-key`: makes a key in the browser or takes a did:key, and shows what a key changes. */
export const recoveryKeyPage: AccountPage = {
  proof: true,
  show: Effect.fn("account.recoveryKey")(function* (owner, query) {
    const found = yield* ownerKeys(owner)
    if (found.notice !== undefined) return notice(owner, found.notice)
    if (!found.isOurs) return notice(owner, note("warn", keysText.notOurs))
    const wish = wishOf((name) => queryValue(query, name), found.ours)
    if (wish.key === "") return choosePage(owner, found)
    const fault = faultOf(wish, found)
    return fault === undefined
      ? yield* reviewPage(owner, found, wish)
      : choosePage(owner, found, wish, { text: fault, field: "key" })
  })
}

/** Makes a key the first of the owner's keys; where codes are mailed, sends the code first. */
export const setRecoveryKey: Action = {
  proof: true,
  page: "recovery-key",
  run: Effect.fn("account.setRecoveryKey")(function* (owner, form) {
    const found = yield* ownerKeys(owner)
    if (found.notice !== undefined) return shown(notice(owner, found.notice))
    const wish = wishOf((name) => form.get(name), found.ours)
    const fault = faultOf(wish, found)
    if (fault !== undefined) {
      return shown(choosePage(owner, found, wish, { text: fault, field: "key" }))
    }
    const accounts = yield* Accounts
    const { did } = owner.view
    const code = form.get("code")
    if ((yield* codeStep(owner, code !== undefined)) === "wanted") {
      const wrong = yield* refusedBy(
        accounts.call(did, "requestCode", { purpose: "plc_operation" })
      )
      return shown(yield* reviewPage(owner, found, wish, { isSent: wrong === undefined, wrong }))
    }
    const change = {
      first: wish.key,
      ...(wish.replaces === "" ? {} : { without: wish.replaces }),
      ...(code === undefined ? {} : { code })
    }
    const wrong = yield* refusedBy(accounts.call(did, "changeOwnerKeys", change))
    return wrong === undefined
      ? done("keys", "key-set")
      : shown(yield* reviewPage(owner, found, wish, { isSent: code !== undefined, wrong }))
  })
}
