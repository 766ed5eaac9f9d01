import { mailCode } from "../../services/mail/MailedCodes.ts"
import { owner } from "./readableAccount.ts"
import type {
  ComAtprotoServerDeleteAccount as DeleteAccount,
  ComAtprotoServerRequestPasswordReset as RequestPasswordReset,
  ComAtprotoServerReserveSigningKey as ReserveSigningKey,
  ComAtprotoServerResetPassword as ResetPassword
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { calledName } from "../../core/identity/calledName.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { ReservedKeys } from "../../services/identity/ReservedKeys.ts"
import { givePointBack, takePoint } from "../limits/clientLimits.ts"
import { requestReset, resetPassword as resetByCode } from "../sessions/passwordReset.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { decoyDid, signInKey } from "../sessions/signInGate.ts"
import { type Call, method } from "../Xrpc.ts"
import { rules } from "../../services/limits/rules.ts"

const open = { at: "host", authority: { kind: "none" } } as const

const requestPasswordReset = method(
  "com.atproto.server.requestPasswordReset",
  { ...open, limits: [rules.requestPasswordReset, rules.mailedCode] },
  Effect.fnUntraced(function* ({ input }: Call<object, RequestPasswordReset.InputSchema>) {
    const directory = yield* Directory
    yield* requestReset(directory.byEmail(calledName(input.email)))
  })
)

const resetPassword = method(
  "com.atproto.server.resetPassword",
  { ...open, limits: [rules.resetPassword] },
  ({ input }: Call<object, ResetPassword.InputSchema>) =>
    resetByCode({ code: input.token, password: input.password })
)

const deleteAccount = method(
  "com.atproto.server.deleteAccount",
  { ...open, limits: [rules.deleteAccount, rules.signIn] },
  Effect.fnUntraced(function* ({ input, request }: Call<object, DeleteAccount.InputSchema>) {
    const { did, password, token } = input
    // Password guesses count towards the same limit as at sign-in.
    const key = signInKey(did, did)
    yield* takePoint(request, rules.signIn, key)
    const entry = yield* (yield* Directory).byDid(did)
    if (entry !== undefined) yield* noteAccount(did)
    const accounts = yield* Accounts
    yield* accounts.call(entry?.did ?? decoyDid(did), "deleteAccount", { password, code: token })
    yield* givePointBack(request, rules.signIn, key)
  })
)

const reserveSigningKey = method(
  "com.atproto.server.reserveSigningKey",
  { ...open, limits: [rules.reserveSigningKey] },
  Effect.fnUntraced(function* ({ input }: Call<object, ReserveSigningKey.InputSchema>) {
    return { signingKey: yield* (yield* ReservedKeys).reserve(input.did) }
  })
)

const requestAccountDelete = method(
  "com.atproto.server.requestAccountDelete",
  { at: "account", authority: owner, limits: [rules.mailedCode] },
  () => mailCode("delete_account")
)

/** Methods for people without a session, and the first step of deleting an account. */
export const recoveryMethods = [
  requestPasswordReset,
  resetPassword,
  deleteAccount,
  reserveSigningKey,
  requestAccountDelete
]
