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
import { noteAccount } from "../requestLog.ts"
import { decoyDid, signInKey, signInLimits } from "../sessions/signInGate.ts"
import { type Call, method } from "../Xrpc.ts"

const open = { authority: { kind: "none" } } as const

const attemptLimits = [{ limit: 50, windowSeconds: 300 }]
const reservationLimits = [
  { limit: 20, windowSeconds: 300 },
  { limit: 100, windowSeconds: 86_400 }
]

const requestPasswordReset = method(
  "com.atproto.server.requestPasswordReset",
  open,
  Effect.fnUntraced(function* ({ input, request }: Call<object, RequestPasswordReset.InputSchema>) {
    const directory = yield* Directory
    yield* requestReset(request, directory.byEmail(calledName(input.email)))
  })
)

const resetPassword = method(
  "com.atproto.server.resetPassword",
  open,
  ({ input, request }: Call<object, ResetPassword.InputSchema>) =>
    resetByCode(request, { code: input.token, password: input.password })
)

const deleteAccount = method(
  "com.atproto.server.deleteAccount",
  open,
  Effect.fnUntraced(function* ({ input, request }: Call<object, DeleteAccount.InputSchema>) {
    const { did, password, token } = input
    yield* takePoint(request, "deleteAccount", attemptLimits)
    // Passwords are guessed here no faster than at sign-in.
    const key = signInKey(did, did)
    yield* takePoint(request, key, signInLimits)
    const entry = yield* (yield* Directory).byDid(did)
    if (entry !== undefined) noteAccount(request, did)
    const accounts = yield* Accounts
    yield* accounts.call(entry?.did ?? decoyDid(did), "deleteAccount", { password, code: token })
    yield* givePointBack(request, key, signInLimits)
  })
)

const reserveSigningKey = method(
  "com.atproto.server.reserveSigningKey",
  open,
  Effect.fnUntraced(function* ({ input, request }: Call<object, ReserveSigningKey.InputSchema>) {
    yield* takePoint(request, "reserveSigningKey", reservationLimits)
    return { signingKey: yield* (yield* ReservedKeys).reserve(input.did) }
  })
)

/** For those who have no session here: who forgot the password, who deletes the account, who is about to move in. */
export const recoveryMethods = [
  requestPasswordReset,
  resetPassword,
  deleteAccount,
  reserveSigningKey
]
