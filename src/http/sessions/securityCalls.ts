import { createHmac } from "node:crypto"
import * as Effect from "effect/Effect"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import { deletionDay } from "../../services/accounts/AccountDeletion.ts"
import { activate } from "../../services/accounts/AccountStatus.ts"
import { type Account, AccountStore, inactiveStatus } from "../../services/accounts/AccountStore.ts"
import type { OwnerView } from "../../services/sessions/securityCalls.ts"
import { AppPasswords } from "../../services/sessions/AppPasswords.ts"
import { Denied } from "../../services/sessions/Auth.ts"
import { Config } from "../../services/host/Config.ts"
import { hkdf } from "../../services/host/derivedSecrets.ts"
import { OAuthSessions } from "../../services/oauth/OAuthSessions.ts"
import { Passkeys } from "../../services/factors/Passkeys.ts"
import {
  provePassword as proveOwnPassword,
  renewHash,
  slowToFail
} from "../../services/sessions/PasswordProof.ts"
import { Passwords } from "../../services/sessions/Passwords.ts"
import { proveSecondFactor } from "../../services/factors/SecondFactorProof.ts"
import { SecondFactors } from "../../services/factors/SecondFactors.ts"
import { Sessions } from "../../services/sessions/Sessions.ts"
import { fitPassword } from "../../services/accounts/signUp/fields.ts"
import { InvalidRequest } from "../../services/failures.ts"

type Input<K extends keyof AccountCalls> = AccountCalls[K]["input"]

// The hint stands in every refusal: it does not tell that an app password was right as such.
const wrongPassword = () =>
  new Denied({
    error: "AuthenticationRequired",
    message:
      "Wrong name or password. Use the account's own password: app passwords do not open this page"
  })

/** Whoever was taken down does not get in, however well they prove themselves. */
const standing = (account: Account) =>
  account.takedown === undefined
    ? Effect.succeed(account)
    : Effect.fail(new Denied({ error: "AccountTakedown", message: "Account has been taken down" }))

const currentAccount = Effect.flatMap(AccountStore, (accounts) => accounts.get)
const goodAccount = Effect.flatMap(currentAccount, standing)

/** Another text with each password, which tells nothing of it. */
export const versionOf = Effect.fnUntraced(function* ({ password = "" }: Account) {
  const key = hkdf((yield* Config).masterKey, "password versions")
  return createHmac("sha256", key).update(password).digest("base64url")
})

const viewOf = Effect.fnUntraced(function* (
  account: Account
): Effect.fn.Return<OwnerView, never, Config | SecondFactors | Passkeys> {
  const { did, handle, email, emailConfirmedAt } = account
  const status = inactiveStatus(account)
  return {
    did,
    handle,
    ...(email === undefined ? {} : { email }),
    emailConfirmed: emailConfirmedAt !== undefined,
    ...(status === undefined ? {} : { status }),
    hasPassword: account.password !== undefined,
    passwordVersion: yield* versionOf(account),
    secondFactor: yield* (yield* SecondFactors).isOn,
    passkeys: (yield* (yield* Passkeys).list).length
  }
})

/** What the sign-in pages need to know of the account. */
const owner = () => Effect.flatMap(currentAccount, viewOf)

const provePassword = Effect.fnUntraced(function* ({ password }: Input<"provePassword">) {
  const proof = Effect.mapError(proveOwnPassword(password), wrongPassword)
  const account = yield* slowToFail(Effect.flatMap(proof, standing))
  const renewed = yield* Effect.orElseSucceed(renewHash(account, password), () => account)
  return yield* viewOf(renewed)
})

const proveCode = Effect.fnUntraced(function* ({ code, passwordVersion }: Input<"proveCode">) {
  const account = yield* goodAccount
  if (passwordVersion !== (yield* versionOf(account))) {
    const message = "The password is another one by now"
    return yield* new Denied({ error: "ExpiredToken", message })
  }
  yield* slowToFail(proveSecondFactor(account.did, code))
  return yield* viewOf(account)
})

/** Notes why a passkey was refused; whoever showed it is not told. */
const withReasonLogged = <A, E extends { readonly reason: string }, R>(
  attempt: Effect.Effect<A, E, R>
) => Effect.tapError(attempt, ({ reason }) => Effect.logInfo("passkey refused", { reason }))

const provePasskey = Effect.fnUntraced(function* ({
  response,
  ...ceremony
}: Input<"provePasskey">) {
  const passkeys = yield* Passkeys
  const account = yield* goodAccount
  yield* withReasonLogged(passkeys.verify(response, ceremony))
  return yield* viewOf(account)
})

/** Everything that `/account` shows of who can get in. */
const security = Effect.fnUntraced(function* () {
  const account = yield* currentAccount
  const { authenticatorSince, recoveryCodesLeft } = yield* (yield* SecondFactors).status
  const sessions = yield* (yield* Sessions).list
  const deleteAfter = yield* deletionDay(account)
  return {
    ...(yield* viewOf(account)),
    passkeyList: yield* (yield* Passkeys).list,
    ...(authenticatorSince === undefined ? {} : { authenticatorSince }),
    recoveryCodesLeft,
    ...(deleteAfter === undefined ? {} : { deleteAfter }),
    appPasswords: yield* (yield* AppPasswords).list,
    apps: yield* (yield* OAuthSessions).list,
    sessions: sessions.map(({ id, createdAt, expiresAt, appPassword }) => ({
      id,
      createdAt,
      expiresAt,
      ...(appPassword === undefined ? {} : { appPassword })
    }))
  }
})

/** Whoever got in by the old password, by an app password or as an app is out. */
const changePassword = Effect.fnUntraced(function* ({ password }: Input<"changePassword">) {
  const fit = yield* fitPassword(password)
  yield* currentAccount
  const hashed = yield* (yield* Passwords).hash(fit)
  const sessions = yield* Sessions
  const apps = yield* OAuthSessions
  yield* (yield* AccountStore).update({ password: hashed })
  yield* sessions.endAll()
  yield* apps.endAll
})

const createAppPassword = Effect.fnUntraced(function* (input: Input<"createAppPassword">) {
  const { did } = yield* currentAccount
  return yield* (yield* AppPasswords).create(did, input)
})

const beginAuthenticator = Effect.fnUntraced(function* () {
  const { did } = yield* currentAccount
  return yield* (yield* SecondFactors).begin(did)
})

const confirmAuthenticator = Effect.fnUntraced(function* ({ code }: Input<"confirmAuthenticator">) {
  const { did } = yield* currentAccount
  return { recoveryCodes: yield* (yield* SecondFactors).confirm(did, code) }
})

const renewRecoveryCodes = Effect.fnUntraced(function* () {
  yield* currentAccount
  return { recoveryCodes: yield* (yield* SecondFactors).renewRecoveryCodes }
})

/** Adds a passkey to the account, once its browser has proven it. */
export const addPasskey = Effect.fnUntraced(function* (input: Input<"addPasskey">) {
  yield* currentAccount
  return yield* withReasonLogged((yield* Passkeys).add(input))
})

const removePasskey = Effect.fnUntraced(function* ({ id }: Input<"removePasskey">) {
  const { password } = yield* currentAccount
  const passkeys = yield* Passkeys
  // Nothing takes a password away, so what was asked first still holds afterwards.
  if (password !== undefined) return yield* passkeys.remove(id)
  if (yield* passkeys.removeUnlessLast(id)) return
  const message = "This is your only way in. Set a password or add another passkey first."
  return yield* new InvalidRequest({ message })
})

const reactivate = Effect.fnUntraced(function* () {
  yield* goodAccount
  yield* activate()
})

/** Does something with a service where there is an account; an object without one has no tables. */
const change =
  <I, S, Shape, A, E, R>(
    service: Effect.Effect<Shape, never, S>,
    body: (service: Shape, input: I) => Effect.Effect<A, E, R>
  ) =>
  (input: I) =>
    Effect.andThen(
      currentAccount,
      Effect.flatMap(service, (found) => body(found, input))
    )

/** What the account's object does for the sign-in and account pages. */
export const securityCalls = {
  owner,
  provePassword,
  proveCode,
  provePasskey,
  security,
  changePassword,
  createAppPassword,
  revokeAppPassword: change(AppPasswords, (appPasswords, { name }: Input<"revokeAppPassword">) =>
    appPasswords.revoke(name)
  ),
  beginAuthenticator,
  confirmAuthenticator,
  disableAuthenticator: change(SecondFactors, (factors) => factors.disable),
  renewRecoveryCodes,
  addPasskey,
  renamePasskey: change(Passkeys, (passkeys, { id, name }: Input<"renamePasskey">) =>
    passkeys.rename(id, name)
  ),
  removePasskey,
  endSession: change(Sessions, (sessions, { session }: Input<"endSession">) =>
    sessions.end(session)
  ),
  reactivate
}
