import * as Effect from "effect/Effect"
import { reaches } from "../../../core/operators/roles.ts"
import { Config } from "../../../services/host/Config.ts"
import { noteAccount, noteAct, noteOperator } from "../../CurrentRequest.ts"
import { pathOf } from "../account/frame.ts"
import { BrowserRefused } from "../browser.ts"
import { redirectTo, showPage } from "../layout.ts"
import { type Message, showMessage, showMissing } from "../message.ts"
import { common } from "../text/common.ts"
import { frame as text } from "../text/console.ts"
import { sentForm, type Visitor, visitor } from "../visitor.ts"
import {
  type ConsoleAction,
  type ConsoleName,
  consolePath,
  type ConsolePage,
  tabsOf
} from "./frame.ts"
import { findOperator, type Found, noticeOf, type Operating } from "./operating.ts"
import { consoleActions, consolePages } from "./table.ts"

type Refused = Exclude<Found["kind"], "operator" | "nobody" | "unproven">

const refusals: Readonly<Record<Refused, Message>> = {
  stranger: {
    title: text.notOperatorTitle,
    text: text.notOperator,
    status: 403,
    link: { href: pathOf("sign-in", { to: "/admin" }), label: common.useAnotherAccount }
  },
  inactive: { title: text.inactiveTitle, text: text.inactive, status: 403 },
  "no factor": {
    title: text.factorTitle,
    text: text.factor,
    status: 403,
    link: { href: pathOf("authenticator"), label: text.toAuthenticator }
  }
}

/** What a visitor gets who isn't an operator with a recent proof; afterwards they continue at a path of the console. */
const elsewhere = Effect.fnUntraced(function* (
  found: Exclude<Found, { readonly kind: "operator" }>,
  to: string,
  { cookies }: Visitor
) {
  const config = yield* Config
  switch (found.kind) {
    case "nobody":
      return redirectTo(pathOf("sign-in", { to }), config, cookies)
    case "unproven":
      return redirectTo(pathOf("confirm", { account: found.did, to }), config)
    default:
      return showMessage(refusals[found.kind], config)
  }
})

const forbidden = (needed: ConsolePage["role"]): Message => ({
  title: text.forbiddenTitle,
  text: text.forbidden(text.roles[needed]),
  status: 403,
  link: { href: "/admin", label: text.toConsole }
})

const withTabs = (
  operating: Omit<Operating, "tabs" | "notice">,
  notice?: Operating["notice"]
): Operating => ({ ...operating, tabs: tabsOf(operating.role, consolePages), notice })

/** A page's notice, only for a browser that comes from one of our forms. */
const noticeFor = (request: Request, url: URL): Operating["notice"] =>
  (request.headers.get("sec-fetch-site") ?? "same-origin") === "same-origin"
    ? noticeOf(url.searchParams.get("done"))
    : undefined

const look = Effect.fnUntraced(function* (
  request: Request,
  url: URL,
  name: ConsoleName,
  page: ConsolePage
) {
  const config = yield* Config
  const visiting = yield* visitor(request)
  const found = yield* findOperator(visiting)
  if (found.kind !== "operator") {
    const query = new URLSearchParams(url.searchParams)
    query.delete("done")
    const to = consolePath(name, Object.fromEntries(query))
    return yield* elsewhere(found, to, visiting)
  }
  const operating = withTabs(found.operating, noticeFor(request, url))
  yield* noteAccount(operating.view.did)
  if (!reaches(operating.role, page.role)) {
    const [first] = operating.tabs
    // The first page is an admin's: others begin with theirs.
    if (name === "" && first !== undefined) return redirectTo(consolePath(first), config)
    return showMessage(forbidden(page.role), config)
  }
  if (page.act !== undefined) {
    yield* noteOperator(operating.view.did)
    yield* noteAct({ act: page.act })
  }
  return showPage(yield* page.show(operating, url.searchParams), config)
})

const act = Effect.fnUntraced(function* (request: Request, action: ConsoleAction) {
  const config = yield* Config
  const { visitor, form } = yield* sentForm(request)
  const found = yield* findOperator(visitor, form.get("operator") ?? "")
  if (found.kind !== "operator") {
    return yield* elsewhere(found, consolePath(action.page), visitor)
  }
  const operating = withTabs(found.operating)
  yield* noteAccount(operating.view.did)
  if (!reaches(operating.role, action.role)) return showMessage(forbidden(action.role), config)
  yield* noteOperator(operating.view.did)
  const reason = nonBlank(form.get("reason"))
  if (reason !== undefined) yield* noteAct({ reason })
  const outcome = yield* action.run(operating, form)
  return outcome.kind === "done" ? redirectTo(outcome.to, config) : showPage(outcome.page, config)
})

/** A text that isn't blank. */
const nonBlank = (text: string | undefined): string | undefined =>
  text === undefined || text.trim() === "" ? undefined : text.trim()

const pageOf = (name: string): readonly [ConsoleName, ConsolePage] | undefined => {
  if (!Object.hasOwn(consolePages, name)) return undefined
  // SAFETY: the table's own keys are its names.
  const known = name as ConsoleName
  return [known, consolePages[known]]
}

/** The console: `/admin`, and everything under `/admin/console`. */
export const operatorsConsole = Effect.fn("http.console")(function* (request: Request, url: URL) {
  const name = url.pathname.replace(/^\/admin\/?(console\/?)?/, "")
  const { method } = request
  if (method === "GET") {
    const page = pageOf(name)
    if (page !== undefined) return yield* look(request, url, ...page)
  } else if (method === "POST") {
    const action = Object.hasOwn(consoleActions, name) ? consoleActions[name] : undefined
    if (action !== undefined) return yield* act(request, action)
  } else return yield* new BrowserRefused({ reason: "method" })
  return showMissing(yield* Config)
})
