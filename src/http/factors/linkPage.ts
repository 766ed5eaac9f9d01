import * as Effect from "effect/Effect"
import type { CallOutput } from "../../services/accounts/AccountCalls.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { isDid } from "../../core/lexicon/syntax.ts"
import { takePoint } from "../limits/clientLimits.ts"
import { isHere } from "../accounts/presence.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { refusalOf } from "../pages/account/refusal.ts"
import type { PageFailure } from "../pages/failurePage.ts"
import { html } from "../pages/html.ts"
import { type Page, showPage } from "../pages/layout.ts"
import { type Message, showMessage } from "../pages/message.ts"
import { creationOptions, keepPasskey, passkeyFields, passkeyLead } from "./newPasskey.ts"
import { account, field, hidden, note } from "../pages/parts.ts"
import { passkeyScript } from "../pages/passkeyScript.ts"
import { credentialOf, usedCeremony } from "../pages/signInAttempt.ts"
import { type Sent, sentForm, visitor } from "../pages/visitor.ts"
import { common } from "../pages/text/common.ts"
import { passkey as text } from "../pages/text/security.ts"
import { rules } from "../../services/limits/rules.ts"

/** The path of links; the secret follows the `#`, which browsers never send. */
export const linkPath = "/passkey"

/** A link's address; only the page's script reads the account and the secret in it. */
export const linkTo = (publicUrl: string, did: string, secret: string): string =>
  `${publicUrl}${linkPath}#${secret}.${did}`

/** The account and the secret in a link; undefined if it is invalid. */
const partsOf = (link: string | undefined) => {
  const [, secret, did] = /^([\w-]{22})\.(did:.+)$/.exec(link ?? "") ?? []
  return secret !== undefined && did !== undefined && isDid(did) ? { secret, did } : undefined
}

/**
 * Removes the link from the address bar and the history, and submits it with the form.
 *
 * Only this page's script reads it from the address, so no server or proxy logs it.
 */
const linkScript = `(() => {
  const form = document.forms[0]
  const link = location.hash.slice(1)
  history.replaceState(null, "", location.pathname)
  if (link === "" || !window.PublicKeyCredential) {
    document.querySelector("[role=status]").textContent = link === ""
      ? ${JSON.stringify(text.linkGone)}
      : ${JSON.stringify(text.noPasskeys)}
    return
  }
  form.elements.link.value = link
  form.submit()
})()`

/** `GET /passkey`: submits the link. */
export const lookAtLink = Effect.fn("pages.lookAtLink")(function* (request: Request) {
  const { csrf, cookies } = yield* visitor(request)
  const body = html`<h1>${text.title}</h1>
    <noscript><p class="note warn">${common.needsJavaScript}</p></noscript>
    <p role="status">${text.oneMoment}</p>
    <form method="post" action="${linkPath}" hidden>
      ${hidden({ csrf })}<input type="hidden" name="link" />
    </form>`
  const page: Page = { title: text.title, body, cookies, script: linkScript }
  return showPage(page, yield* Config)
})

const over: Message = {
  title: text.linkOverTitle,
  text: text.linkOver,
  status: 410
}

type Opened = CallOutput<"openPasskeyLink">

const formPage = Effect.fnUntraced(function* (
  { visitor: { device, csrf }, form }: Sent,
  opened: Opened,
  message?: string
) {
  const { creation, ticket } = yield* creationOptions(opened, device.id)
  const code = opened.secondFactor
    ? field({
        name: "code",
        label: common.code,
        autocomplete: "one-time-code",
        hint: text.linkCodeHint,
        invalid: message !== undefined,
        maxLength: 32
      })
    : undefined
  const body = html`<h1>${text.title}</h1>
    <p>${text.linkLead}</p>
    <div class="who">${account(opened.handle, opened.did)}</div>
    ${message !== undefined && note("bad", message)} ${passkeyLead}
    <form
      method="post"
      action="${linkPath}/add"
      data-passkey="create"
      data-options="${JSON.stringify(creation)}"
      hidden
    >
      ${hidden({ csrf, link: form.get("link") })} ${passkeyFields(device, ticket, code)}
    </form>`
  const status = message === undefined ? 200 : 400
  const page: Page = { title: text.title, body, script: passkeyScript, status }
  return showPage(page, yield* Config)
})

/** Continues with the account of a submitted link, or shows that the link has expired. */
const withLink = <R>(
  request: Request,
  next: (sent: Sent, opened: Opened, secret: string) => Effect.Effect<Response, PageFailure, R>
) =>
  Effect.gen(function* () {
    const sent = yield* sentForm(request)
    yield* takePoint(request, rules.openPasskeyLink)
    const config = yield* Config
    const parts = partsOf(sent.form.get("link"))
    if (parts === undefined || !(yield* isHere(request, parts.did))) {
      return showMessage(over, config)
    }
    const { did, secret } = parts
    const opened = (yield* Accounts).call(did, "openPasskeyLink", { secret })
    return yield* opened.pipe(
      Effect.tap(() => noteAccount(did)),
      Effect.flatMap((view) => next(sent, view, secret)),
      Effect.catchTag("PasskeyLinkOver", () => Effect.succeed(showMessage(over, config)))
    )
  })

/** `POST /passkey`: shows the account, and asks for a passkey. */
export const openLink = (request: Request) =>
  withLink(request, (sent, opened) => formPage(sent, opened))

/** `POST /passkey/add`: adds the passkey without signing anybody in. */
export const useLink = (request: Request) =>
  withLink(
    request,
    Effect.fn("pages.useLink")(function* (sent: Sent, opened: Opened, secret: string) {
      const { form, visitor } = sent
      const again = (message: string) => formPage(sent, opened, message)
      const ceremony = yield* usedCeremony(visitor.device.id, form.get("challenge"))
      const response = credentialOf(form.get("credential"))
      if (ceremony === undefined || response === undefined) {
        return yield* again(common.tookTooLong)
      }
      const [name = "", code = ""] = [form.get("name"), form.get("code")?.trim()]
      const input = { ...ceremony, secret, code, name, response }
      const adding = (yield* Accounts).call(opened.did, "addPasskeyByLink", input)
      const made = yield* adding.pipe(
        Effect.catchTags(
          { PasskeyLinkOver: (over) => Effect.fail(over), InvalidRequest: () => Effect.undefined },
          (failure) => refusalOf(failure)
        )
      )
      if (typeof made === "string") return yield* again(made)
      const isKept = made !== undefined && (yield* keepPasskey(opened.did, made))
      return showMessage(isKept ? done(opened.handle) : taken, yield* Config)
    })
  )

const taken: Message = {
  ...over,
  title: text.linkUsedTitle,
  text: text.linkUsed
}

const done = (handle: string): Message => ({
  title: text.addedTitle,
  text: text.added(handle),
  link: { href: "/account/sign-in", label: common.signIn }
})
