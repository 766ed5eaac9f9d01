import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { calledName } from "../../../../core/identity/calledName.ts"
import { checkHandle } from "../../../../core/identity/handle.ts"
import { isHandle } from "../../../../core/lexicon/syntax.ts"
import type { CallFailure } from "../../../../services/accounts/AccountCalls.ts"
import { Accounts, type AccountUnavailable } from "../../../../services/accounts/Accounts.ts"
import { Config } from "../../../../services/host/Config.ts"
import { type FoundClaims, HandleClaims } from "../../../../services/identity/HandleClaims.ts"
import { Identity } from "../../../../services/identity/Identity.ts"
import type { Form } from "../../browser.ts"
import { html } from "../../html.ts"
import { hostedName } from "../../hostedName.ts"
import { fieldIn, type Wrong } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed } from "../frame.ts"
import { shown } from "../../layout.ts"
import { claimsInWords, whatToSetUp } from "./handleClaims.ts"
import type { Owner } from "../owner.ts"
import { refusalOf } from "../refusal.ts"
import { common } from "../../text/common.ts"
import { handle as text } from "../../text/settings.ts"

/** The rejected input of a form, and what DNS and the web server say about the handle. */
interface Filled {
  readonly name?: string | undefined
  readonly domain?: string | undefined
  readonly handle?: string | undefined
  readonly found?: FoundClaims
}

const hosted = (owner: Owner, domains: ReadonlyArray<string>, filled: Filled, wrong?: Wrong) => {
  const content = html`${hostedName(wrong, {
      label: common.name,
      autocomplete: "off",
      value: filled.name,
      hint: common.nameRule,
      domains,
      domain: filled.domain,
      domainLabel: text.domainOf
    })} <button type="submit">${text.useName}</button>`
  return html`<h2>${text.hostedHeading}</h2>
    ${accountForm(owner, { action: "handle", content })}`
}

const own = (owner: Owner, { handle, found }: Filled, wrong?: Wrong) => {
  const { did } = owner.view
  const content = html`${fieldIn(wrong, {
      name: "handle",
      label: text.domain,
      autocomplete: "off",
      value: handle,
      hint: text.domainHint,
      maxLength: 253
    })} <button type="submit">${text.verify}</button>`
  return html`<h2>${text.ownHeading}</h2>
    ${found === undefined || handle === undefined ? whatToSetUp(did) : claimsInWords(found, handle, did)}
    ${accountForm(owner, { action: "handle", content })}`
}

const page = Effect.fnUntraced(function* (owner: Owner, wrong?: Wrong, filled: Filled = {}) {
  const { handleDomains } = yield* Config
  const body = html`<p class="lead">${text.lead(owner.view.handle)}</p>
    ${handleDomains.length > 0 && hosted(owner, handleDomains, filled, wrong)}
    ${own(owner, filled, wrong)}`
  return framed(owner, { title: text.title, tab: "settings", body, wrong })
})

/** `/account/handle` */
export const handlePage: AccountPage = { proof: true, show: (owner) => page(owner) }

/**
 * A domain as typed, or copied from the address bar, converted to a handle: lower case and ASCII.
 */
const domainOf = (text: string): string => {
  const bare = calledName(text)
  return URL.parse(bare.includes("://") ? bare : `https://${bare}`)?.hostname ?? bare
}

const wanted = (form: Form): Filled & { readonly wish: string } => {
  const [name, domain, handle] = [form.get("name"), form.get("domain"), form.get("handle")]
  if (handle !== undefined) return { handle: domainOf(handle), wish: domainOf(handle) }
  const label = calledName(name ?? "")
  return { name: label, domain, wish: `${label}.${domain ?? ""}` }
}

/** What DNS and the web server say about a handle outside of our domains. */
const findClaims = Effect.fnUntraced(function* (handle: string) {
  const { handleDomains: serviceDomains, isLocal: allowTest } = yield* Config
  const checked = checkHandle(handle, { serviceDomains, allowTest })
  if (Result.isFailure(checked) || checked.success.hosted) return {}
  return { found: yield* (yield* HandleClaims).look(checked.success.handle) }
})

type Refused = CallFailure<"updateHandle"> | AccountUnavailable

/** The form's own words for a failure, if it has any. */
const wordsFor = (
  { _tag }: Refused,
  wish: string,
  { name, found }: Pick<Filled, "name" | "found">
): string | undefined => {
  const isBad = _tag === "HandleRefused" || _tag === "HandleUnproven"
  if (isBad && name !== undefined) return common.badName
  if (isBad && !isHandle(calledName(wish))) return text.notADomain
  if (found?.dns.kind === "failed" || found?.file.kind === "failed") return text.unreachable
  if (_tag === "HandleUnproven" && found !== undefined) return text.notYet
  return _tag === "HandleNotAvailable" || _tag === "HandleReserved" ? text.taken : undefined
}

const unreachable = () => Effect.succeed(text.unreachable)

/** Changes the handle; if a domain does not point to the account, the page shows what is missing there. */
export const changeHandle: Action = {
  proof: true,
  page: "handle",
  run: Effect.fn("account.changeHandle")(function* (owner, form) {
    const { did, handle: before } = owner.view
    const { wish, ...filled } = wanted(form)
    const changed = (yield* Accounts).call(did, "updateHandle", { handle: wish })
    const refused = yield* Effect.match(changed, {
      onSuccess: () => undefined,
      onFailure: (failure) => failure
    })
    if (refused === undefined) {
      const identity = yield* Identity
      // This isolate's cached identity is outdated now.
      yield* Effect.forEach([did, before, wish], identity.forget, { discard: true })
      return done("handle", "handle-changed")
    }
    const claims = refused._tag === "RateLimitExceeded" ? {} : yield* findClaims(wish)
    const message = yield* Effect.fail(refused).pipe(
      Effect.catchTags(
        { IdentityUnavailable: unreachable, PlcUnavailable: unreachable },
        (failure) => refusalOf(failure, wordsFor(failure, wish, { ...filled, ...claims }))
      )
    )
    const field = filled.name === undefined ? "handle" : "name"
    const wrong =
      refused._tag === "RateLimitExceeded" ? { text: message } : { text: message, field }
    return shown(yield* page(owner, wrong, { ...filled, ...claims }))
  })
}
