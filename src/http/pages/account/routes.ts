import * as Effect from "effect/Effect"
import { Config } from "../../../services/Config.ts"
import type { DeviceAccount } from "../../../services/Devices.ts"
import { Directory } from "../../../services/Directory.ts"
import { countRequest } from "../../clientLimits.ts"
import { noteAccount } from "../../requestLog.ts"
import { BrowserRefused } from "../browser.ts"
import { chooserPage } from "../chooser.ts"
import { asPage } from "../failurePage.ts"
import { redirectTo, showPage } from "../layout.ts"
import { showMessage } from "../message.ts"
import { type Sent, sentForm, type Visitor, visitor } from "../visitor.ts"
import { confirm, confirmForm } from "./confirm.ts"
import type { Action, PageName } from "./frame.ts"
import { noticeText } from "./notices.ts"
import { findOwner, isRecent, type Owner } from "./owner.ts"
import { pageOf, signIn, signInForm, type Way } from "./signIn.ts"
import { accountActions, accountPages, isPageName } from "./table.ts"

/** Where somebody wanted to go; a name that is none of ours is the first page. */
const wanted = (to: string | null | undefined): PageName =>
  to !== null && to !== undefined && isPageName(to) ? to : ""

const withQuery = (path: string, query: Readonly<Record<string, string>>): string => {
  const given = Object.entries(query).filter(([, value]) => value !== "")
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

const toSignIn = Effect.fnUntraced(function* (to: PageName, { cookies }: Visitor, notice = "") {
  const path = withQuery("/account/sign-in", { to, done: notice })
  return redirectTo(path, yield* Config, cookies)
})

const toConfirm = Effect.fnUntraced(function* ({ view }: Owner, to: PageName) {
  return redirectTo(withQuery("/account/confirm", { account: view.did, to }), yield* Config)
})

const choose = Effect.fnUntraced(function* (accounts: ReadonlyArray<DeviceAccount>, to: PageName) {
  const directory = yield* Directory
  const choices = yield* Effect.forEach(accounts, ({ did }) =>
    Effect.map(directory.byDid(did), (entry) =>
      entry === undefined
        ? []
        : [{ handle: entry.handle, href: pageOf(to, did), signInAgain: false }]
    )
  )
  const body = chooserPage({
    lead: "These are signed in on this device.",
    choices: choices.flat(),
    another: withQuery("/account/sign-in", { to })
  })
  return showPage({ title: "Choose an account", body }, yield* Config)
})

/** A page says what was done only to a browser that comes from one of our forms: links of strangers say nothing. */
const noticeFor = (request: Request, url: URL): string | undefined =>
  (request.headers.get("sec-fetch-site") ?? "same-origin") === "same-origin"
    ? noticeText(url.searchParams.get("done"))
    : undefined

const look = Effect.fnUntraced(function* (request: Request, url: URL, name: PageName) {
  const visiting = yield* visitor(request)
  const named = url.searchParams.get("account") ?? undefined
  const found = yield* findOwner(visiting, named, noticeFor(request, url))
  if (found.kind === "choose") return yield* choose(found.accounts, name)
  if (found.kind === "nobody") {
    return yield* toSignIn(name, visiting, url.searchParams.get("done") ?? "")
  }
  const { owner } = found
  noteAccount(request, owner.view.did)
  const page = accountPages[name]
  if (page.proof === true && !isRecent(owner)) return yield* toConfirm(owner, name)
  return showPage(yield* page.show(owner), yield* Config)
})

const act = Effect.fnUntraced(function* (request: Request, action: Action) {
  const { visitor, form } = yield* sentForm(request)
  const found = yield* findOwner(visitor, form.get("account") ?? "")
  if (found.kind !== "owner") return yield* toSignIn(action.page, visitor)
  const { owner } = found
  noteAccount(request, owner.view.did)
  if (action.proof === true && !isRecent(owner)) return yield* toConfirm(owner, action.page)
  const outcome = yield* action.run(owner, form)
  const config = yield* Config
  switch (outcome.kind) {
    case "done":
      return redirectTo(pageOf(outcome.page, owner.view.did, outcome.notice), config)
    case "left":
      return redirectTo("/account?done=signed-out", config)
    case "shown":
      return showPage(outcome.page, config)
  }
})

const lookAtSignIn = Effect.fnUntraced(function* (request: Request, url: URL) {
  const visiting = yield* visitor(request)
  const notice = noticeFor(request, url)
  const page = yield* signInForm(visiting, wanted(url.searchParams.get("to")), { notice })
  return showPage(page, yield* Config)
})

const lookAtConfirm = Effect.fnUntraced(function* (request: Request, url: URL) {
  const visiting = yield* visitor(request)
  const to = wanted(url.searchParams.get("to"))
  const found = yield* findOwner(visiting, url.searchParams.get("account") ?? undefined)
  if (found.kind !== "owner") return yield* toSignIn(to, visiting)
  const config = yield* Config
  return isRecent(found.owner)
    ? redirectTo(pageOf(to, found.owner.view.did), config)
    : showPage(yield* confirmForm(found.owner, to), config)
})

const lookAtChoice = Effect.fnUntraced(function* (request: Request) {
  const visiting = yield* visitor(request)
  const found = yield* findOwner(visiting, undefined)
  if (found.kind === "nobody") return yield* toSignIn("", visiting)
  return yield* choose(found.kind === "owner" ? [found.owner.account] : found.accounts, "")
})

const postSignIn = Effect.fnUntraced(function* (request: Request, way: Way) {
  const sent = yield* sentForm(request)
  return yield* signIn(way, request, sent, wanted(sent.form.get("to")))
})

const postConfirm = Effect.fnUntraced(function* (request: Request, way: Way) {
  const sent: Sent = yield* sentForm(request)
  const to = wanted(sent.form.get("to"))
  const found = yield* findOwner(sent.visitor, sent.form.get("account") ?? "")
  if (found.kind !== "owner") return yield* toSignIn(to, sent.visitor)
  return yield* confirm(way, request, sent, found.owner, to)
})

const ways: Readonly<Record<string, Way>> = {
  "": "password",
  "/code": "code",
  "/passkey": "passkey"
}

/** The step of a path that proves who somebody is: `sign-in`, `confirm/code` and the like. */
const proving = (name: string) => {
  const [, step, rest = ""] = /^(sign-in|confirm)(\/code|\/passkey)?$/.exec(name) ?? []
  return step === undefined ? undefined : { step, way: ways[rest]! }
}

const get = Effect.fnUntraced(function* (request: Request, url: URL, name: string) {
  if (name === "sign-in") return yield* lookAtSignIn(request, url)
  if (name === "confirm") return yield* lookAtConfirm(request, url)
  if (name === "switch") return yield* lookAtChoice(request)
  if (isPageName(name)) return yield* look(request, url, name)
  return undefined
})

const post = Effect.fnUntraced(function* (request: Request, name: string) {
  const proof = proving(name)
  if (proof?.step === "sign-in") return yield* postSignIn(request, proof.way)
  if (proof?.step === "confirm") return yield* postConfirm(request, proof.way)
  const action = Object.hasOwn(accountActions, name) ? accountActions[name] : undefined
  return action === undefined ? undefined : yield* act(request, action)
})

const missing = {
  title: "No such page",
  text: "Nothing lies at this address.",
  status: 404,
  link: { href: "/account", label: "To your account" }
} as const

const respond = Effect.fnUntraced(function* (request: Request, url: URL) {
  yield* countRequest(request, "account")
  const name = url.pathname.replace(/^\/account\/?/, "")
  const { method } = request
  if (method !== "GET" && method !== "POST") return yield* new BrowserRefused({ reason: "method" })
  const answer = method === "GET" ? yield* get(request, url, name) : yield* post(request, name)
  return answer ?? showMessage(missing, yield* Config)
})

/** Everything under `/account`. */
export const account = (request: Request, url: URL) => asPage(respond(request, url))
