import * as Effect from "effect/Effect"
import { calledName } from "../../../../core/identity/calledName.ts"
import { checkHandle } from "../../../../core/identity/handle.ts"
import { Accounts, type Rejected } from "../../../../services/accounts/Accounts.ts"
import { Config } from "../../../../services/host/Config.ts"
import { type FoundClaims, HandleClaims } from "../../../../services/identity/HandleClaims.ts"
import { Identity } from "../../../../services/identity/Identity.ts"
import type { Form } from "../../browser.ts"
import { nameRule, noName } from "../../handleWords.ts"
import { html } from "../../html.ts"
import { field, input } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed, shown } from "../frame.ts"
import { claimsInWords, whatToSetUp } from "./handleClaims.ts"
import type { Owner } from "../owner.ts"
import { refusalOf } from "../refusal.ts"

/** What stood in a form that was refused, and what was found where the handle should lead here. */
interface Filled {
  readonly name?: string | undefined
  readonly domain?: string | undefined
  readonly handle?: string | undefined
  readonly found?: FoundClaims
}

const hosted = (owner: Owner, domains: ReadonlyArray<string>, filled: Filled) => {
  const [only = ""] = domains
  const suffix =
    domains.length === 1
      ? html`<input type="hidden" name="domain" value="${only}" /><span>.${only}</span>`
      : html`<select name="domain" aria-label="Domain of the handle">
          ${domains.map(
            (domain) =>
              html`<option value="${domain}" ${domain === filled.domain && html` selected`}>
                .${domain}
              </option>`
          )}
        </select>`
  const content = html`<label for="name">Name</label>
    <div class="joined centred">
      ${input({
        name: "name",
        label: "Name",
        autocomplete: "off",
        value: filled.name,
        hint: nameRule,
        invalid: filled.name !== undefined,
        maxLength: 63
      })}${suffix}
    </div>
    <p class="hint" id="name-hint">${nameRule}</p>
    <button type="submit">Use this name</button>`
  return html`<h2>A name of this server</h2>
    ${accountForm(owner, { action: "handle", content })}`
}

const own = (owner: Owner, { handle, found }: Filled) => {
  const { did } = owner.view
  const content = html`${field({
      name: "handle",
      label: "Domain",
      autocomplete: "off",
      value: handle,
      hint: "It is yours when it says so: it is looked up, and what is missing is told.",
      invalid: handle !== undefined,
      maxLength: 253
    })} <button type="submit">Check it, and use it</button>`
  return html`<h2>A domain of your own</h2>
    ${found === undefined || handle === undefined ? whatToSetUp(did) : claimsInWords(found, handle, did)}
    ${accountForm(owner, { action: "handle", content })}`
}

const page = Effect.fnUntraced(function* (owner: Owner, message?: string, filled: Filled = {}) {
  const { handleDomains } = yield* Config
  const body = html`<p class="lead">
      You are <strong>${owner.view.handle}</strong>. Under another handle you keep your followers
      and everything that you have written; the one before is free for others.
    </p>
    ${handleDomains.length > 0 && hosted(owner, handleDomains, filled)} ${own(owner, filled)}`
  return framed(owner, { title: "Your handle", tab: "settings", body, message })
})

/** `/account/handle` */
export const handlePage: AccountPage = { proof: true, show: (owner) => page(owner) }

/** A domain as it was typed, or copied from the address bar, in the form that handles have: in lower case, and in ASCII. */
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

/** What is found at both places of a handle that lies under none of our domains. */
const findClaims = Effect.fnUntraced(function* (handle: string) {
  const { handleDomains: serviceDomains, isLocal: allowTest } = yield* Config
  const checked = checkHandle(handle, { serviceDomains, allowTest })
  if (!checked.ok || checked.hosted) return {}
  return { found: yield* (yield* HandleClaims).look(checked.handle) }
})

const noDomain = "That is not the name of a domain, such as example.com."

const words: Readonly<Record<string, string>> = {
  HandleNotAvailable: "That handle is somebody else’s, or kept back.",
  UpstreamFailure:
    "What must be asked for this, DNS or the directory of identities, could not be reached. Please try again in a moment."
}

const messageOf = (
  { error, message }: Rejected,
  { name, found }: Pick<Filled, "name" | "found">
): string => {
  if (error === "InvalidHandle" && name !== undefined) return noName
  if (message.startsWith("Input/handle")) return noDomain
  const isUnknown =
    found !== undefined && (found.dns.kind === "failed" || found.file.kind === "failed")
  if (isUnknown) return words["UpstreamFailure"]!
  const leadsNowhere = found !== undefined && message.includes("did not resolve")
  return leadsNowhere ? "That domain does not lead to you yet." : (words[error] ?? message)
}

/** Gives the account another handle; a domain that does not lead to it is told with what was found there. */
export const changeHandle: Action = {
  proof: true,
  page: "handle",
  run: Effect.fn("account.changeHandle")(function* (owner, form) {
    const { did, handle: before } = owner.view
    const { wish, ...filled } = wanted(form)
    const rejected = yield* (yield* Accounts).call(did, "updateHandle", { handle: wish }).pipe(
      Effect.as(undefined),
      Effect.catch((rejected) => Effect.succeed(rejected))
    )
    if (rejected === undefined) {
      const identity = yield* Identity
      // What this isolate remembers of the account is not so any more.
      yield* Effect.forEach([did, before, wish], identity.forget, { discard: true })
      return done("handle", "handle-changed")
    }
    const { error } = rejected
    const claims = error === "RateLimitExceeded" ? {} : yield* findClaims(wish)
    const told = messageOf(rejected, { ...filled, ...claims })
    const upstream = error === "UpstreamFailure" ? Effect.succeed(told) : refusalOf(rejected, told)
    return shown(yield* page(owner, yield* upstream, { ...filled, ...claims }))
  })
}
