import type {
  ComAtprotoAdminDeleteAccount as DeleteAccount,
  ComAtprotoAdminUpdateAccountEmail as UpdateEmail,
  ComAtprotoAdminUpdateAccountHandle as UpdateHandle,
  ComAtprotoAdminUpdateAccountPassword as UpdatePassword,
  ComAtprotoAdminUpdateAccountSigningKey as UpdateSigningKey
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Devices } from "../../services/oauth/Devices.ts"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { Identity } from "../../services/identity/Identity.ts"
import { Keys } from "../../services/identity/Keys.ts"
import { ReservedKeys } from "../../services/identity/ReservedKeys.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { noteAct } from "../CurrentRequest.ts"
import { type Call, method } from "../Xrpc.ts"
import { keepsAnAdmin } from "../operators/standing.ts"
import { entryOf } from "./adminAccounts.ts"

const admin = { at: "host", authority: { kind: "admin" } } as const

const deleteAccount = method(
  "com.atproto.admin.deleteAccount",
  admin,
  Effect.fnUntraced(function* ({ input }: Call<object, DeleteAccount.InputSchema>) {
    const { did, handle, status } = yield* entryOf(input.did)
    yield* noteAct({ subject: did, before: { handle, status }, after: { status: "deleted" } })
    yield* keepsAnAdmin(did)
    yield* (yield* Accounts).call(did, "forceDeletion")
  })
)

const updateAccountEmail = method(
  "com.atproto.admin.updateAccountEmail",
  admin,
  Effect.fnUntraced(function* ({ input }: Call<object, UpdateEmail.InputSchema>) {
    const { did, email = null } = yield* entryOf(input.account)
    yield* noteAct({ subject: did, before: { email }, after: { email: input.email } })
    yield* (yield* Accounts).call(did, "setEmail", { email: input.email })
  })
)

const updateAccountHandle = method(
  "com.atproto.admin.updateAccountHandle",
  { ...admin, typedNames: ["handle"] },
  Effect.fnUntraced(function* ({ input }: Call<object, UpdateHandle.InputSchema>) {
    const { did, handle } = yield* entryOf(input.did)
    yield* noteAct({ subject: did, before: { handle }, after: { handle: input.handle } })
    const identity = yield* Identity
    yield* (yield* Accounts).call(did, "setHandle", { handle: input.handle })
    yield* Effect.forEach([did, handle, input.handle], identity.forget, { discard: true })
  })
)

/** Ends every session opened with the old password. */
const updateAccountPassword = method(
  "com.atproto.admin.updateAccountPassword",
  admin,
  Effect.fnUntraced(function* ({ input }: Call<object, UpdatePassword.InputSchema>) {
    const { did } = yield* entryOf(input.did)
    yield* noteAct({ subject: did })
    yield* (yield* Accounts).call(did, "changePassword", { password: input.password })
    yield* Effect.mapError(
      (yield* Devices).signOutAll(did),
      (cause) => new DirectoryUnavailable({ operation: "signOutAll", cause })
    )
  })
)

/**
 * Accepts only a key that `reserveSigningKey` created for this DID, because this server has no
 * other private keys.
 *
 * After an interruption, a repeated call finds the reserved key and completes the change.
 */
const updateAccountSigningKey = method(
  "com.atproto.admin.updateAccountSigningKey",
  admin,
  Effect.fnUntraced(function* ({ input }: Call<object, UpdateSigningKey.InputSchema>) {
    const { did } = yield* entryOf(input.did)
    const { signingKey } = yield* (yield* Accounts).call(did, "summary")
    yield* noteAct({
      subject: did,
      before: { signingKey },
      after: { signingKey: input.signingKey }
    })
    const reserved = yield* ReservedKeys
    const key = yield* Effect.catchTag(reserved.find(did), "KeyUnreadable", Effect.die)
    if (key?.didKey !== input.signingKey) {
      return yield* new InvalidRequest({
        message: "signingKey must be a key that reserveSigningKey has made for this account"
      })
    }
    const wrapped = yield* (yield* Keys).wrap(did, key)
    const { curve, didKey } = key
    yield* (yield* Accounts).call(did, "changeSigningKey", { curve, didKey, wrapped })
    yield* (yield* Identity).forget(did)
    yield* reserved.remove(did)
  })
)

/** The administrator's changes to accounts. */
export const adminChangeMethods = [
  deleteAccount,
  updateAccountEmail,
  updateAccountHandle,
  updateAccountPassword,
  updateAccountSigningKey
]
