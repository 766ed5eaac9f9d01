import * as Effect from "effect/Effect"
import { AccountCodes } from "../mail/AccountCodes.ts"
import { AccountStore } from "../accounts/AccountStore.ts"
import { Devices } from "../oauth/Devices.ts"
import { DirectoryUnavailable } from "../accounts/Directory.ts"
import { OAuthSessions } from "../oauth/OAuthSessions.ts"
import { Passwords } from "./Passwords.ts"
import { Sessions } from "./Sessions.ts"
import { fitPassword } from "../accounts/signUp/fields.ts"

/** Sets a new password with a mailed code and ends every session opened with the old one. */
export const resetPassword = Effect.fn("resetPassword")(function* (input: {
  readonly code: string
  readonly password: string
}) {
  const fit = yield* fitPassword(input.password)
  const accounts = yield* AccountStore
  const { did } = yield* accounts.get
  const codes = yield* AccountCodes
  const sessions = yield* Sessions
  const apps = yield* OAuthSessions
  yield* codes.check("reset_password", input.code)
  const password = yield* (yield* Passwords).hash(fit)
  const signOut = (yield* Devices).signOutAll(did)
  // Before the code is used up: if signing out browsers fails, everything can be repeated.
  yield* Effect.mapError(
    signOut,
    (cause) => new DirectoryUnavailable({ operation: "signOutAll", cause })
  )
  yield* codes.use("reset_password", input.code)
  yield* accounts.update({ password }, { kind: "password-reset" })
  yield* sessions.endAll()
  yield* apps.endAll
  // Somebody may have signed in with the old password in between.
  yield* Effect.ignore(signOut)
})
