import * as Effect from "effect/Effect"
import { queryValue } from "../../../core/lexicon/params.ts"
import { Config } from "../../../services/host/Config.ts"
import { type DeviceAccount, Devices } from "../../../services/oauth/Devices.ts"
import { Directory } from "../../../services/accounts/Directory.ts"
import { noteAccount } from "../../CurrentRequest.ts"
import { BrowserRefused } from "../browser.ts"
import { chooserPage } from "../../oauth/chooser.ts"
import { redirectTo, showPage } from "../layout.ts"
import { showMessage, showMissing } from "../message.ts"
import { type Sent, sentForm, type Visitor, visitor } from "../visitor.ts"
import { answerImport } from "./archive/importCalls.ts"
import { confirm, confirmForm } from "./confirm.ts"
import { isForgottenName, lookAtForgotten, sendForgotten } from "./signIn/forgotten.ts"
import {
  type Action,
  type Download,
  type Destination,
  hrefOf,
  isConsolePath,
  type PageName,
  pathOf
} from "./frame.ts"
import { noticeText } from "./notices.ts"
import { type Found, findOwner, isRecent, type Owner } from "./owner.ts"
import { signIn, signInForm, type Way } from "./signIn/signIn.ts"
import { lookAtMoveIn, postByOAuth, postMoveIn } from "./moveIn/start.ts"
import { lookAtReturn } from "./moveIn/returned.ts"
import { lookAtSignUp, postSignUp } from "./signIn/signUp.ts"
import { accountActions, accountDownloads, accountPages, isPageName } from "./table.ts"
import { frame as text } from "../text/account.ts"
import { asSentence, common } from "../text/common.ts"
import { choose as chooseText } from "../text/signIn.ts"

/** The page to continue to; an unknown name means the overview. */
const wanted = (to: string | null | undefined): Destination =>
  to !== null && to !== undefined && (isPageName(to) || isConsolePath(to)) ? to : ""

const toSignIn = Effect.fnUntraced(function* (to: Destination, { cookies }: Visitor, notice = "") {
  const path = pathOf("sign-in", { to, done: notice })
  return redirectTo(path, yield* Config, cookies)
})

const toConfirm = Effect.fnUntraced(function* ({ view }: Owner, to: PageName) {
  return redirectTo(pathOf("confirm", { account: view.did, to }), yield* Config)
})

const choose = Effect.fnUntraced(function* (
  accounts: ReadonlyArray<DeviceAccount>,
  to: Destination
) {
  const directory = yield* Directory
  const choices = yield* Effect.forEach(accounts, ({ did }) =>
    Effect.map(directory.byDid(did), (entry) =>
      entry === undefined
        ? []
        : [{ handle: entry.handle, href: pathOf(to, { account: did }), signInAgain: false }]
    )
  )
  const body = chooserPage({
    lead: chooseText.onThisDevice,
    choices: choices.flat(),
    another: pathOf("sign-in", { to })
  })
  return showPage({ title: chooseText.title, body }, yield* Config)
})

const closed = (reason: string | undefined) => ({
  title: reason === undefined ? text.takenDownTitle : text.suspendedTitle,
  text: reason === undefined ? text.takenDown : text.suspended(asSentence(reason)),
  status: 403,
  link: { href: "/account/switch", label: common.useAnotherAccount }
})

/** The page for a visitor who isn't the owner of an account. */
const elsewhere = Effect.fnUntraced(function* (
  found: Exclude<Found, { readonly kind: "owner" }>,
  to: Destination,
  visitor: Visitor,
  notice = ""
) {
  switch (found.kind) {
    case "choose":
      return yield* choose(found.accounts, to)
    case "closed":
      return showMessage(closed(found.reason), yield* Config)
    case "nobody":
      return yield* toSignIn(to, visitor, notice)
  }
})

/**
 * A page's notice, only for a browser that comes from one of our forms, so foreign links show none.
 */
const noticeFor = (request: Request, url: URL): string | undefined =>
  (request.headers.get("sec-fetch-site") ?? "same-origin") === "same-origin"
    ? noticeText(url.searchParams.get("done"))
    : undefined

/** What the owner sees at an address; everybody else is sent to sign in or confirm. */
const forOwner = Effect.fnUntraced(function* <A, E, R>(
  request: Request,
  url: URL,
  {
    page,
    proof = false,
    isPicture = false
  }: {
    readonly page: PageName
    readonly proof?: boolean | undefined
    readonly isPicture?: boolean | undefined
  },
  see: (owner: Owner) => Effect.Effect<A, E, R>
) {
  const visiting = yield* visitor(request, isPicture)
  const named = queryValue(url.searchParams, "account")
  const found = yield* findOwner(visiting, named, noticeFor(request, url))
  if (found.kind !== "owner") {
    return yield* elsewhere(found, page, visiting, url.searchParams.get("done") ?? "")
  }
  const { owner } = found
  yield* noteAccount(owner.view.did)
  return proof && !isRecent(owner) ? yield* toConfirm(owner, page) : yield* see(owner)
})

const look = (request: Request, url: URL, name: PageName) => {
  const { proof, show } = accountPages[name]
  return forOwner(request, url, { page: name, proof }, (owner) =>
    Effect.flatMap(show(owner, url.searchParams), (page) =>
      Effect.map(Config, (config) => showPage(page, config))
    )
  )
}

/** A file for its owner; a link of another site opens the file's page instead. */
const download = (request: Request, url: URL, { page, proof, isPicture, open }: Download) =>
  forOwner(request, url, { page, proof, isPicture }, (owner) =>
    Effect.gen(function* () {
      const site = request.headers.get("sec-fetch-site") ?? "none"
      return site === "same-origin" || site === "none"
        ? yield* open(owner, url.searchParams)
        : redirectTo(hrefOf(owner, page), yield* Config)
    })
  )

const act = Effect.fnUntraced(function* (request: Request, action: Action) {
  const { visitor, form } = yield* sentForm(request)
  const found = yield* findOwner(visitor, form.get("account") ?? "")
  if (found.kind !== "owner") return yield* elsewhere(found, action.page, visitor)
  const { owner } = found
  yield* noteAccount(owner.view.did)
  if (action.proof === true && !isRecent(owner)) return yield* toConfirm(owner, action.page)
  const outcome = yield* action.run(owner, form)
  const config = yield* Config
  switch (outcome.kind) {
    case "done":
      return redirectTo(hrefOf(owner, outcome.page, outcome.notice, outcome.query), config)
    case "left":
      return redirectTo(pathOf("", { done: outcome.notice }), config)
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
  const found = yield* findOwner(visiting, queryValue(url.searchParams, "account"))
  if (found.kind !== "owner") return yield* elsewhere(found, to, visiting)
  const config = yield* Config
  // The console decides itself which proofs are good enough for it.
  return isRecent(found.owner) && !isConsolePath(to)
    ? redirectTo(hrefOf(found.owner, to), config)
    : showPage(yield* confirmForm(found.owner, to), config)
})

const lookAtChoice = Effect.fnUntraced(function* (request: Request) {
  const visiting = yield* visitor(request)
  const accounts = yield* (yield* Devices).accounts(visiting.device.id)
  return accounts.length === 0 ? yield* toSignIn("", visiting) : yield* choose(accounts, "")
})

const postSignIn = Effect.fnUntraced(function* (request: Request, way: Way) {
  const sent = yield* sentForm(request)
  return yield* signIn(way, request, sent, wanted(sent.form.get("to")))
})

const postConfirm = Effect.fnUntraced(function* (request: Request, way: Way) {
  const sent: Sent = yield* sentForm(request)
  const to = wanted(sent.form.get("to"))
  const found = yield* findOwner(sent.visitor, sent.form.get("account") ?? "")
  if (found.kind !== "owner") return yield* elsewhere(found, to, sent.visitor)
  return yield* confirm(way, request, sent, found.owner, to)
})

const ways: Readonly<Record<string, Way>> = {
  "": "password",
  "/code": "code",
  "/passkey": "passkey"
}

/** The proof step of a path, such as `sign-in` or `confirm/code`. */
const proving = (name: string) => {
  const [, step, rest = ""] = /^(sign-in|confirm)(\/code|\/passkey)?$/.exec(name) ?? []
  return step === undefined ? undefined : { step, way: ways[rest]! }
}

const get = Effect.fnUntraced(function* (request: Request, url: URL, name: string) {
  if (name === "sign-in") return yield* lookAtSignIn(request, url)
  if (name === "confirm") return yield* lookAtConfirm(request, url)
  if (name === "switch") return yield* lookAtChoice(request)
  if (name === "sign-up") return yield* lookAtSignUp(request, url)
  if (name === "move-in") return yield* lookAtMoveIn(request, url)
  if (name === "move-in/return") return yield* lookAtReturn(request, url)
  if (isForgottenName(name)) return yield* lookAtForgotten(request, name)
  if (isPageName(name)) return yield* look(request, url, name)
  if (Object.hasOwn(accountDownloads, name)) {
    return yield* download(request, url, accountDownloads[name]!)
  }
  return undefined
})

const post = Effect.fnUntraced(function* (request: Request, url: URL, name: string) {
  const proof = proving(name)
  if (proof?.step === "sign-in") return yield* postSignIn(request, proof.way)
  if (proof?.step === "confirm") return yield* postConfirm(request, proof.way)
  if (isForgottenName(name)) return yield* sendForgotten(request, name)
  if (name === "sign-up") return yield* postSignUp(request)
  if (name === "move-in") return yield* postMoveIn(request)
  if (name === "move-in/oauth") return yield* postByOAuth(request)
  if (name.startsWith("import/")) return yield* answerImport(request, url, name.slice(7))
  const action = Object.hasOwn(accountActions, name) ? accountActions[name] : undefined
  return action === undefined ? undefined : yield* act(request, action)
})

/** Everything under `/account`. */
export const account = Effect.fnUntraced(function* (request: Request, url: URL) {
  const name = url.pathname.replace(/^\/account\/?/, "")
  const { method } = request
  if (method !== "GET" && method !== "POST") return yield* new BrowserRefused({ reason: "method" })
  const answer = method === "GET" ? yield* get(request, url, name) : yield* post(request, url, name)
  return answer ?? showMissing(yield* Config)
})
