import * as Effect from "effect/Effect"
import { CodeInvalid } from "../../services/mail/AccountCodes.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Background } from "../../services/host/Background.ts"
import { CodeOwners } from "../../services/mail/CodeOwners.ts"
import type {
  Directory,
  DirectoryEntry,
  DirectoryUnavailable
} from "../../services/accounts/Directory.ts"
import { fitPassword } from "../../services/accounts/signUp/fields.ts"
import { noteAccount } from "../CurrentRequest.ts"

type Find = Effect.Effect<DirectoryEntry | undefined, DirectoryUnavailable, Directory>

const mailReset = Effect.fnUntraced(
  function* (find: Find) {
    const accounts = yield* Accounts
    const entry = yield* find
    if (entry !== undefined) yield* accounts.call(entry.did, "requestPasswordReset")
  },
  Effect.catchCause((cause) => Effect.logWarning("no code mailed for a new password", cause))
)

/**
 * Mails a code after the response, so neither the response nor its time reveals whether an account
 * was found.
 */
export const requestReset = Effect.fn("http.requestReset")(function* (find: Find) {
  const services = yield* Effect.context<Accounts | Directory>()
  yield* (yield* Background).run(Effect.provide(mailReset(find), services))
})

/** Sets a new password with a mailed code, which identifies the account. */
export const resetPassword = Effect.fn("http.resetPassword")(function* ({
  code,
  password
}: {
  readonly code: string
  readonly password: string
}) {
  yield* fitPassword(password)
  const owners = yield* CodeOwners
  const did = yield* owners.ownerOf(code)
  if (did === undefined) return yield* new CodeInvalid({ purpose: "reset_password" })
  yield* noteAccount(did)
  yield* (yield* Accounts).call(did, "resetPassword", { code, password })
  // The password is set: at worst the watch lists the code until it expires.
  yield* Effect.catch(owners.remove(did), (failure) =>
    Effect.logWarning("a used code is still listed", failure)
  )
})
