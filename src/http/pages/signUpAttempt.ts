import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { inviteState } from "../../core/accounts/invites.ts"
import { calledName, inviteCode } from "../../core/identity/calledName.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { SignUp, type SignUpFailure } from "../../services/accounts/SignUp.ts"
import { Config } from "../../services/host/Config.ts"
import { takePoint } from "../limits/clientLimits.ts"
import { wireError } from "../errors.ts"
import { noteAccount } from "../CurrentRequest.ts"
import type { Form } from "./browser.ts"
import type { Wrong } from "./parts.ts"
import { signUpPage, type SignUpView } from "./signUp.ts"
import { common } from "./text/common.ts"
import { sentenceOf } from "./text/refusals.ts"
import { signUp as text } from "./text/signUp.ts"
import { rules } from "../../services/limits/rules.ts"

/** The rejected input, without the password. */
const filledBy = (form: Form | undefined): SignUpView["filled"] => ({
  name: form?.get("name"),
  domain: form?.get("domain"),
  email: form?.get("email"),
  invite: form?.get("invite")
})

const wrongs: { readonly [T in SignUpFailure["_tag"]]?: Wrong } = {
  HandleNotAvailable: { field: "name", text: common.handleTaken },
  HandleReserved: { field: "name", text: text.reserved },
  HandleRefused: { field: "name", text: common.badName },
  HandleUnproven: { field: "name", text: common.badName },
  EmailTaken: { field: "email", text: text.emailTaken },
  InvalidInviteCode: { field: "invite", text: text.wrong.invite }
}

/** Why no account was created, and the wrong field. */
export const wrongBy = (failure: SignUpFailure): Wrong => {
  const known = wrongs[failure._tag]
  if (known !== undefined) return known
  if (wireError(failure).status >= 500) return { text: text.later }
  const field = failure._tag === "SignUpRefused" ? failure.field : undefined
  return { field: field === "handle" ? "name" : field, text: sentenceOf(failure) }
}

/**
 * Whether an invite is valid now, to say so before the form is filled in; the sign-up itself
 * decides.
 */
const isGoodInvite = Effect.fn("pages.isGoodInvite")(function* (request: Request, code: string) {
  yield* takePoint(request, rules.lookAtInvite)
  const invite = yield* (yield* Directory).invite(inviteCode(code))
  return invite !== undefined && inviteState(invite, yield* Clock.currentTimeMillis) === undefined
})

/** The sign-up form with its earlier input; reports an invalid invite at once. */
export const signUpForm = Effect.fnUntraced(function* (
  request: Request,
  place: Pick<SignUpView, "lead" | "action" | "carried" | "others">,
  form: Form | undefined,
  wrong?: Wrong
) {
  const { handleDomains, inviteRequired } = yield* Config
  const filled = filledBy(form)
  const { invite = "" } = filled
  const isAsked = inviteRequired && invite !== "" && wrong?.field !== "invite"
  const inviteIsGood = isAsked && (yield* isGoodInvite(request, invite))
  const isBad = isAsked && !inviteIsGood && wrong === undefined
  return signUpPage({
    ...place,
    domains: handleDomains,
    inviteRequired,
    filled,
    inviteIsGood,
    wrong: isBad ? wrongs.InvalidInviteCode : wrong
  })
})

/** Ends the session that every sign-up opens for an app, which a page doesn't need. */
export const endSessions = Effect.fnUntraced(function* (did: string) {
  const accounts = yield* Accounts
  const { sessions } = yield* accounts.call(did, "security")
  const end = ({ id }: { readonly id: string }) => accounts.call(did, "endSession", { session: id })
  yield* Effect.forEach(sessions, end, { discard: true })
})

/** Creates the account in a form. */
export const signUpBy = Effect.fnUntraced(function* (request: Request, form: Form) {
  yield* takePoint(request, rules.signUp)
  const invite = form.get("invite")
  const name = calledName(form.get("name") ?? "")
  const domain = form.get("domain") ?? ""
  // The whole handle is accepted as well as the name.
  const handle = name.endsWith(`.${domain}`) ? name : `${name}.${domain}`
  const made = yield* (yield* SignUp).create({
    handle,
    email: form.get("email") ?? "",
    password: form.get("password") ?? "",
    ...(invite === undefined ? {} : { inviteCode: invite }),
    caller: { kind: "anonymous" }
  })
  yield* noteAccount(made.did)
  // An open session expires by itself; the account exists either way.
  yield* Effect.ignore(endSessions(made.did))
  return made
})

const pageFailures = new Set([
  "RateLimitExceeded",
  "LimiterUnavailable",
  "OAuthStoreUnavailable",
  "DirectoryUnavailable"
])

/** Whether the form itself can show a failure; others get their own page. */
export const isSignUpFailure = (failure: { readonly _tag: string }): failure is SignUpFailure =>
  !pageFailures.has(failure._tag)
