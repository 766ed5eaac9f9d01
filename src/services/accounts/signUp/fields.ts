import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { inviteCode, typedText } from "../../../core/identity/calledName.ts"
import { isDidKey } from "../../../core/identity/didKey.ts"
import type { Caller } from "../../sessions/Authority.ts"
import type { Settings } from "../../host/Config.ts"
import { SignUpRefused } from "./refused.ts"
import type { SeenFrom } from "../../../core/sessions/seenFrom.ts"

/** The input of a sign-up. */
export interface SignUpRequest {
  readonly handle: string
  /** The account's DID, if it has one already. */
  readonly did?: string
  readonly email?: string
  readonly password?: string
  readonly inviteCode?: string
  /** The owner's did:key, which becomes the first rotation key. */
  readonly recoveryKey?: string
  readonly plcOp?: unknown
  readonly caller: Caller
  readonly from?: SeenFrom
}

/** The fields of a request that are valid on their own. */
export interface SignUpFields {
  readonly password: string
  readonly email: string | undefined
  /** The invite to use, if one is required. */
  readonly invite: string | undefined
  /** Where the request came from, for the session that it opens. */
  readonly from: SeenFrom
}

/** A failed sign-up. */
export const refuse = (
  error: SignUpRefused["error"],
  message: string,
  field?: SignUpRefused["field"]
): SignUpRefused => new SignUpRefused({ error, message, ...(field === undefined ? {} : { field }) })

type Checked<A> = Result.Result<A, SignUpRefused>

const badPassword = (message: string) => Result.fail(refuse("InvalidPassword", message, "password"))
const badEmail = (message: string) => Result.fail(refuse("InvalidRequest", message, "email"))

const checkPassword = (password: string | undefined): Checked<string> => {
  if (password === undefined) return badPassword("A password is required")
  if (password.length < 8) return badPassword("Password must have at least 8 characters")
  if (password.length > 256) return badPassword("Password has over 256 characters")
  return Result.succeed(password)
}

const addressForm = /^[^\s@<>()[\],;:\\"]{1,64}@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*$/i

/** Whether an email address has a valid form. */
const isEmailAddress = (email: string): boolean =>
  email.length <= 254 && addressForm.test(email) && !email.includes("..")

const checkAddress = (given: string): Checked<string> => {
  const email = typedText(given).toLowerCase()
  return isEmailAddress(email)
    ? Result.succeed(email)
    : badEmail("This email address is not supported")
}

const checkEmail = (
  email: string | undefined,
  isRequired: boolean
): Checked<string | undefined> => {
  if (email !== undefined) return checkAddress(email)
  return isRequired ? badEmail("Email is required") : Result.succeed(email)
}

/** Checks a new password. */
export const fitPassword = (password: string | undefined): Effect.Effect<string, SignUpRefused> =>
  Effect.fromResult(checkPassword(password))

/** Checks a new email address and returns its stored form. */
export const fitEmail = (email: string): Effect.Effect<string, SignUpRefused> =>
  Effect.fromResult(checkAddress(email))

/**
 * Checks the fields that need no look-up: password, email address, recovery key, presence of an
 * invite.
 */
export const checkFields = Effect.fnUntraced(function* (
  request: SignUpRequest,
  { inviteRequired }: Settings
): Effect.fn.Return<SignUpFields, SignUpRefused> {
  const { caller, did, recoveryKey } = request
  if (request.plcOp !== undefined)
    return yield* refuse("InvalidRequest", "Unsupported input: plcOp")
  const needsInvite = inviteRequired && caller.kind !== "admin"
  const invite = inviteCode(request.inviteCode ?? "")
  if (needsInvite && invite === "") {
    return yield* refuse("InvalidInviteCode", "No invite code provided", "invite")
  }
  if (recoveryKey !== undefined && !isDidKey(recoveryKey)) {
    return yield* refuse("InvalidRequest", "recoveryKey must be a did:key of K-256 or P-256")
  }
  const password = yield* fitPassword(request.password)
  const email = yield* Effect.fromResult(checkEmail(request.email, did === undefined))
  return { password, email, invite: needsInvite ? invite : undefined, from: request.from ?? {} }
})
