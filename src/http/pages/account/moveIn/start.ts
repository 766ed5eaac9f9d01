import * as Effect from "effect/Effect"
import { calledName } from "../../../../core/identity/calledName.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Directory } from "../../../../services/accounts/Directory.ts"
import { SignUp } from "../../../../services/accounts/SignUp.ts"
import { Config } from "../../../../services/host/Config.ts"
import { rules } from "../../../../services/limits/rules.ts"
import { authenticate } from "../../../../services/sessions/Auth.ts"
import { arrivalToken, oldHome, signInThere } from "../../../accounts/moveIn/begin.ts"
import { MoveInFailed } from "../../../accounts/moveIn/call.ts"
import { credentialOf } from "../../../accounts/moveIn/remote.ts"
import { broughtBy, byOAuthButton, goToOld, onward } from "./byOAuth.ts"
import type { OldTokens } from "../../../../services/accounts/moveInNotes.ts"
import { noteAccount } from "../../../CurrentRequest.ts"
import { takePoint } from "../../../limits/clientLimits.ts"
import type { Form } from "../../browser.ts"
import { html } from "../../html.ts"
import { type Page, redirectTo, showPage } from "../../layout.ts"
import { fieldIn, hidden, newPassword, noteOf, type Wrong } from "../../parts.ts"
import { endSessions, isSignUpFailure, wrongBy } from "../../signUpAttempt.ts"
import { common } from "../../text/common.ts"
import { moveIn as text } from "../../text/moveIn.ts"
import { signUp } from "../../text/signUp.ts"
import { sentForm, visitor, type Visitor } from "../../visitor.ts"
import { pathOf } from "../frame.ts"
import { enter } from "../signIn/signIn.ts"

const createAccount = "com.atproto.server.createAccount"

const oldNames = ["identifier", "old", "code"]

/** The fields for the sign-in at the old server. */
const oldFields = (form: Form, wrong?: Wrong) =>
  html`${fieldIn(wrong, {
    name: "identifier",
    label: text.oldHandle,
    autocomplete: "off",
    value: form.get("identifier"),
    hint: text.oldHandleHint,
    autofocus: true,
    maxLength: 254
  })}
  ${fieldIn(wrong, {
    name: "old",
    label: text.oldPassword,
    type: "password",
    autocomplete: "off",
    hint: text.oldPasswordHint,
    maxLength: 512
  })}
  ${fieldIn(wrong, {
    name: "code",
    label: text.code,
    autocomplete: "one-time-code",
    hint: text.codeHint,
    optional: true,
    maxLength: 64
  })}`

/** The form that begins a move; `signedInAt` is the old server if its sign-in is done. */
export const formPage = Effect.fnUntraced(function* (
  { csrf, cookies }: Visitor,
  form: Form,
  wrong?: Wrong,
  signedInAt?: string
) {
  const config = yield* Config
  const [domain] = config.handleDomains
  const typed = (name: string) => form.get(name)
  const body = html`<h1>${text.title}</h1>
    <p class="lead">${text.lead(config.host)}</p>
    ${noteOf(wrong)}
    <form method="post" action="/account/move-in">
      ${hidden({ csrf, grant: signedInAt === undefined ? undefined : typed("grant") })}
      <h2>${text.oldHeading}</h2>
      ${
        signedInAt === undefined
          ? oldFields(form, wrong)
          : html`<p>${text.signedIn(signedInAt)}</p>
              ${hidden({ identifier: typed("identifier") })}`
      }
      <h2>${text.newHeading}</h2>
      ${
        config.inviteRequired &&
        fieldIn(wrong, {
          name: "invite",
          label: signUp.invite,
          autocomplete: "off",
          value: typed("invite"),
          hint: signUp.inviteHint
        })
      }
      ${fieldIn(wrong, {
        name: "handle",
        label: text.handle,
        autocomplete: "off",
        value: typed("handle"),
        hint: text.handleHint(domain),
        maxLength: 254
      })}
      ${fieldIn(wrong, {
        name: "email",
        label: common.email,
        type: "email",
        autocomplete: "email",
        value: typed("email"),
        maxLength: 254
      })}
      ${newPassword(wrong, { name: "password", label: text.password, hint: common.passwordRule })}
      <button type="submit">${text.submit}</button>
      ${signedInAt === undefined && byOAuthButton("move-in/oauth")}
    </form>
    <p class="hint"><a href="/account/sign-in">${common.alreadyHaveAccount}</a></p>`
  const page: Page = { title: text.title, body, cookies, status: wrong === undefined ? 200 : 400 }
  return showPage(page, config)
})

/** `GET /account/move-in?invite=`: the form that begins a move to this server. */
export const lookAtMoveIn = Effect.fnUntraced(function* (request: Request, url: URL) {
  const invite = url.searchParams.get("invite") ?? ""
  return yield* formPage(yield* visitor(request), new Map([["invite", invite]]))
})

/** `GET /move-in?invite=`: the form's short address, for people to pass on. */
export const toMoveIn = (_: Request, url: URL) => {
  const invite = url.searchParams.get("invite") ?? ""
  return Effect.map(Config, (config) => redirectTo(pathOf("move-in", { invite }), config))
}

/** What the form says about a failure at the old server. */
export const wrongAtOld = ({ error, nsid, why }: MoveInFailed, host: string): Wrong => {
  if (why === "unreachable") return { text: text.unreachable(host) }
  if (why !== "refused") return { text: text.odd(host) }
  if (error === "AuthFactorTokenRequired") return { text: text.codeNeeded, field: "code" }
  return nsid?.endsWith("getServiceAuth") === true
    ? { text: text.tokenRefused, field: "old" }
    : { text: text.notThere, field: "old" }
}

/** The old server of a form, if an account of it can move here. */
const oldOf = Effect.fnUntraced(function* (form: Form) {
  const old = yield* oldHome(form.get("identifier") ?? "")
  if (old.isHere) return { wrong: { text: text.here, field: "identifier" } }
  if ((yield* (yield* Directory).byDid(old.did)) !== undefined) {
    return { wrong: { text: text.begun, field: "identifier" } }
  }
  return old
})

/** The session at the old server: the one that the form brings, or one by the password. */
const signedIn = Effect.fnUntraced(function* (request: Request, form: Form, brought: Brought) {
  if (brought !== undefined) return { ...brought, host: new URL(brought.from).host }
  const old = yield* oldOf(form)
  if ("wrong" in old) return old
  const host = new URL(old.from).host
  const credentials = { password: form.get("old") ?? "", code: form.get("code") ?? "" }
  return yield* signInThere(request, old, credentials).pipe(
    Effect.map(({ accessJwt, refreshJwt }) => ({
      ...old,
      host,
      tokens: { accessJwt, refreshJwt } as OldTokens
    })),
    Effect.catchTag("MoveInFailed", (failure) =>
      Effect.succeed({ wrong: wrongAtOld(failure, host) })
    )
  )
})

type Brought = Effect.Success<ReturnType<typeof broughtBy>>

/** Signs in to the old server, and creates the waiting account by its token. */
const begin = Effect.fnUntraced(function* (request: Request, form: Form, brought: Brought) {
  const value = (name: string) => form.get(name) ?? ""
  const there = yield* signedIn(request, form, brought)
  if ("wrong" in there) return there
  const { from, tokens } = there
  const token = yield* Effect.catchTag(
    arrivalToken(from, credentialOf(tokens)),
    "MoveInFailed",
    (failure) => Effect.succeed({ wrong: wrongAtOld(failure, there.host) })
  )
  if (typeof token !== "string") return token
  const caller = yield* authenticate(
    { method: "POST", url: request.url, authorization: `Bearer ${token}` },
    { kind: "signup" },
    createAccount
  )
  const [domain] = (yield* Config).handleDomains
  const name = calledName(value("handle"))
  const handle = name.includes(".") || domain === undefined ? name : `${name}.${domain}`
  const created = yield* (yield* SignUp)
    .create({
      did: there.did,
      handle,
      email: value("email"),
      password: value("password"),
      inviteCode: value("invite"),
      caller
    })
    .pipe(
      Effect.map(({ did }) => ({ did })),
      Effect.catchIf(isSignUpFailure, (failure) => {
        const wrong = wrongBy(failure)
        return Effect.succeed({
          wrong: wrong.field === "name" ? { ...wrong, field: "handle" } : wrong
        })
      })
    )
  if ("wrong" in created) return created
  const { did } = created
  yield* noteAccount(did)
  yield* Effect.ignore(endSessions(did))
  yield* (yield* Accounts).call(did, "beginMoveIn", { from, there: tokens })
  return { did }
})

const unknown = () => Effect.succeed({ wrong: { text: text.unknown, field: "identifier" } })

const unknownAtOld = {
  HandleNotFound: unknown,
  DidNotFound: unknown,
  DidDeactivated: unknown,
  IdentityUnavailable: unknown,
  MoveInFailed: unknown
}

/** The form again; a session that the old server doesn't accept is dropped. */
const again = (visitor: Visitor, form: Form, wrong: Wrong, brought: Brought) => {
  if (brought === undefined) return formPage(visitor, form, wrong)
  const { host } = new URL(brought.from)
  return oldNames.includes(wrong.field ?? "")
    ? formPage(visitor, form, { text: text.notSignedIn(host) })
    : formPage(visitor, form, wrong, host)
}

/** `POST /account/move-in`: begins a move, and signs the waiting account in on this device. */
export const postMoveIn = Effect.fn("account.moveIn")(function* (request: Request) {
  const { form, visitor } = yield* sentForm(request)
  yield* takePoint(request, rules.signUp)
  const brought = yield* broughtBy(visitor, form)
  const begun = yield* Effect.catchTags(begin(request, form, brought), unknownAtOld)
  if ("wrong" in begun) return yield* again(visitor, form, begun.wrong, brought)
  const owner = yield* (yield* Accounts).call(begun.did, "owner")
  const to = pathOf("moving", { account: begun.did })
  return yield* enter(visitor, { owner, remembered: true }, to)
})

/** `POST /account/move-in/oauth`: begins the sign-in at the old server. */
export const postByOAuth = Effect.fn("account.moveInByOAuth")(function* (request: Request) {
  const { form, visitor } = yield* sentForm(request)
  yield* takePoint(request, rules.signUp)
  const config = yield* Config
  const old = yield* Effect.catchTags(oldOf(form), unknownAtOld)
  if ("wrong" in old) return yield* formPage(visitor, form, old.wrong)
  const host = new URL(old.from).host
  const went = yield* Effect.catchTag(
    goToOld(visitor, old, form, false),
    "MoveInFailed",
    () => Effect.undefined
  )
  if (went === undefined) {
    return yield* formPage(visitor, form, { text: text.noOAuth(host), field: "old" })
  }
  const body = html`<h1>${text.title}</h1>
    ${onward(old.from, went.to, config.host)}`
  return showPage({ title: text.title, body, cookies: [went.cookie] }, config)
})
