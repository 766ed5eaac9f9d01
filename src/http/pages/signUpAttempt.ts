import * as Effect from "effect/Effect"
import { calledName } from "../../core/identity/calledName.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { SignUp, type SignUpFailure } from "../../services/accounts/SignUp.ts"
import { takePoint } from "../limits/clientLimits.ts"
import { wireError } from "../errors.ts"
import { noteAccount } from "../requestLog.ts"
import type { Form } from "./browser.ts"
import type { SignUpView } from "./signUp.ts"
import { common } from "./text/common.ts"
import { signUp as text } from "./text/signUp.ts"
import { rules } from "../../services/limits/rules.ts"

/** What was filled in before, but for the password. */
export const filledBy = (form: Form | undefined): SignUpView["filled"] => ({
  name: form?.get("name"),
  domain: form?.get("domain"),
  email: form?.get("email"),
  invite: form?.get("invite")
})

const reasons: { readonly [T in SignUpFailure["_tag"]]?: string } = {
  HandleNotAvailable: common.handleTaken,
  EmailTaken: text.emailTaken,
  InvalidInviteCode: text.inviteBad,
  HandleRefused: common.badName,
  HandleUnproven: common.badName
}

/** Why there is no account, in words. */
export const reasonOf = (failure: SignUpFailure): string => {
  const { message, status } = wireError(failure)
  return reasons[failure._tag] ?? (status < 500 ? `${message}.` : text.later)
}

/** A sign-up opens a session for an app with the password; on a page nobody is given it. */
const endSessions = Effect.fnUntraced(function* (did: string) {
  const accounts = yield* Accounts
  const { sessions } = yield* accounts.call(did, "security")
  const end = ({ id }: { readonly id: string }) => accounts.call(did, "endSession", { session: id })
  yield* Effect.forEach(sessions, end, { discard: true })
})

/** Makes the account that a form asks for. */
export const signUpBy = Effect.fnUntraced(function* (request: Request, form: Form) {
  yield* takePoint(request, rules.signUp)
  const invite = form.get("invite")
  const name = calledName(form.get("name") ?? "")
  const domain = form.get("domain") ?? ""
  // Who writes the whole handle means the same.
  const handle = name.endsWith(`.${domain}`) ? name : `${name}.${domain}`
  const made = yield* (yield* SignUp).create({
    handle,
    email: form.get("email") ?? "",
    password: form.get("password") ?? "",
    ...(invite === undefined ? {} : { inviteCode: invite }),
    caller: { kind: "anonymous" }
  })
  noteAccount(request, made.did)
  // Left open it would end by itself; the account is there all the same.
  yield* Effect.ignore(endSessions(made.did))
  return made
})

const pageFailures = new Set([
  "RateLimitExceeded",
  "LimiterUnavailable",
  "OAuthStoreUnavailable",
  "DirectoryUnavailable"
])

/** What the form can tell; the rest has a page of its own. */
export const isSignUpFailure = (failure: { readonly _tag: string }): failure is SignUpFailure =>
  !pageFailures.has(failure._tag)
