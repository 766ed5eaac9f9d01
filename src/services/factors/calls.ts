import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Account, AccountStore, inactiveStatus } from "../accounts/AccountStore.ts"
import { downFailure } from "../accounts/suspension.ts"
import { countRefused } from "../accounts/AccountHistory.ts"
import { PasskeyLinkOver, PasskeyLinks, linkLife } from "./PasskeyLinks.ts"
import { type Ceremony, type CredentialJson, LastPasskey, Passkeys } from "./Passkeys.ts"
import { factorOf, proveSecondFactor } from "./SecondFactorProof.ts"
import { NoAuthenticator, SecondFactors } from "./SecondFactors.ts"
import { InvalidRequest } from "../failures.ts"
import { Config, type Settings } from "../host/Config.ts"
import { AccountLimits } from "../limits/AccountLimits.ts"
import { mailCode } from "../mail/MailedCodes.ts"
import { type Mail, Mailer } from "../mail/Mailer.ts"
import { factorResetMail, mailContext, passkeyLinkMail } from "../mail/mailTexts.ts"
import { authenticate, type Credentials, Denied } from "../sessions/Auth.ts"
import { recentMillis, slowToFail } from "../sessions/PasswordProof.ts"
import { Sessions } from "../sessions/Sessions.ts"
import {
  currentAccount,
  goodAccount,
  isCurrentVersion,
  PasswordChanged,
  versionOf,
  viewOf
} from "../sessions/ownerView.ts"
import { rules } from "../limits/rules.ts"

const proveCode = Effect.fnUntraced(function* ({
  code,
  passwordVersion
}: {
  readonly code: string
  readonly passwordVersion: string
}) {
  const account = yield* goodAccount
  if (!(yield* isCurrentVersion(account, passwordVersion))) return yield* new PasswordChanged()
  yield* slowToFail(proveSecondFactor(account, code))
  return yield* viewOf(account)
})

/** Mails the code that a sign-in on a page takes, after the password was verified. */
const mailSignInCode = Effect.fnUntraced(function* ({
  passwordVersion
}: {
  readonly passwordVersion: string
}) {
  const account = yield* goodAccount
  if (passwordVersion !== (yield* versionOf(account))) return yield* new PasswordChanged()
  if ((yield* factorOf(account)) === "email") yield* mailCode("auth_factor")
})

/** Logs why a passkey was rejected; the response has no reason. */
const withReasonLogged = <A, E extends { readonly reason: string }, R>(
  attempt: Effect.Effect<A, E, R>
) => Effect.tapError(attempt, ({ reason }) => Effect.logInfo("passkey refused", { reason }))

const provePasskey = Effect.fnUntraced(function* ({
  response,
  ...ceremony
}: Ceremony & { readonly response: CredentialJson }) {
  const passkeys = yield* Passkeys
  const account = yield* goodAccount
  yield* Effect.tapError(withReasonLogged(passkeys.verify(response, ceremony)), () =>
    countRefused("passkey")
  )
  return yield* viewOf(account)
})

const beginAuthenticator = Effect.fnUntraced(function* () {
  const { did } = yield* currentAccount
  return yield* (yield* SecondFactors).begin(did)
})

const confirmAuthenticator = Effect.fnUntraced(function* ({ code }: { readonly code: string }) {
  const { did } = yield* currentAccount
  return { recoveryCodes: yield* (yield* SecondFactors).confirm(did, code) }
})

const renewRecoveryCodes = Effect.fnUntraced(function* () {
  yield* currentAccount
  return { recoveryCodes: yield* (yield* SecondFactors).renewRecoveryCodes }
})

const disableAuthenticator = Effect.fnUntraced(function* () {
  yield* currentAccount
  yield* (yield* SecondFactors).disable
})

/** Turns the authenticator off for the administrator; if the owner can't be notified, it stays on. */
const resetAuthenticator = Effect.fnUntraced(function* () {
  const account = yield* currentAccount
  const { email } = account
  const factors = yield* SecondFactors
  if ((yield* factors.status).authenticatorSince === undefined) return yield* new NoAuthenticator()
  const mailer = yield* Mailer
  const mailed = mailer.delivers && email !== undefined
  if (mailed) {
    const mail = factorResetMail(mailContext(account, yield* Config))
    yield* Effect.retry(mailer.send({ to: email, purpose: "factor_reset", ...mail }), { times: 1 })
  }
  yield* factors.disable
  return { mailed }
})

/** Adds a verified passkey to the account. */
const addPasskey = Effect.fnUntraced(function* (
  input: Ceremony & { readonly name: string; readonly response: CredentialJson }
) {
  yield* currentAccount
  return yield* withReasonLogged((yield* Passkeys).add(input))
})

const removePasskey = Effect.fnUntraced(function* ({ id }: { readonly id: string }) {
  const { password } = yield* currentAccount
  const passkeys = yield* Passkeys
  // Passwords are never removed, so the earlier check still holds.
  if (password !== undefined) return yield* passkeys.remove(id)
  if (yield* passkeys.removeUnlessLast(id)) return
  return yield* new LastPasskey()
})

const renamePasskey = Effect.fnUntraced(function* (input: {
  readonly id: string
  readonly name: string
}) {
  yield* currentAccount
  return yield* (yield* Passkeys).rename(input.id, input.name)
})

const proveSession = Effect.fnUntraced(function* (credentials: Credentials) {
  const authority = { kind: "session", level: "full", oauth: "no" } as const
  const caller = yield* authenticate(credentials, authority, "manage")
  const session = caller.kind === "session" ? (yield* Sessions).find(caller.session) : undefined
  const until = (session?.createdAt ?? 0) + recentMillis
  if (until > (yield* Clock.currentTimeMillis)) return { until }
  return yield* new Denied({
    error: "AuthenticationRequired",
    message: "Sign in again: this takes a session that began in the last 15 minutes"
  })
})

/** The account if it is active; others can't create or use links. */
const activeAccount = Effect.gen(function* () {
  const account = yield* (yield* AccountStore).get
  const status = inactiveStatus(account)
  if (status === undefined) return account
  return yield* status === "deactivated"
    ? new Denied({ error: "AccountDeactivated", message: "Account is deactivated" })
    : yield* downFailure(account)
})

const mailOf = (
  account: Account,
  to: string,
  by: "owner" | "administrator",
  settings: Settings
): Mail => ({
  to,
  purpose: "passkey_link",
  ...passkeyLinkMail(by, mailContext(account, settings))
})

const makePasskeyLink = Effect.fnUntraced(function* ({
  by,
  until
}: {
  readonly by: "owner" | "administrator"
  readonly until?: number
}) {
  const account = yield* activeAccount
  const mailer = yield* Mailer
  const links = yield* PasskeyLinks
  yield* (yield* AccountLimits).take(rules.makePasskeyLink)
  const now = yield* Clock.currentTimeMillis
  const expiresAt = Math.min(now + linkLife, until ?? Infinity)
  const secret = yield* links.make({ expiresAt, passwordVersion: yield* versionOf(account) })
  const { email } = account
  if (mailer.delivers && email !== undefined) {
    const mail = mailOf(account, email, by, yield* Config)
    // If the owner can't be notified, no link is created.
    yield* Effect.tapError(Effect.retry(mailer.send(mail), { times: 1 }), () =>
      Effect.sync(() => links.revoke())
    )
  }
  return { secret, expiresAt }
})

/** The account of a valid link; an object without an account has no tables to read. */
const linkedAccount = Effect.fnUntraced(function* (secret: string) {
  const account = (yield* AccountStore).peek()
  if (account === undefined || inactiveStatus(account) !== undefined)
    return yield* new PasskeyLinkOver()
  const link = yield* (yield* PasskeyLinks).find(secret)
  return (yield* isCurrentVersion(account, link?.passwordVersion))
    ? account
    : yield* new PasskeyLinkOver()
})

const openPasskeyLink = Effect.fnUntraced(function* ({ secret }: { readonly secret: string }) {
  const { did, handle } = yield* linkedAccount(secret)
  const passkeyList = yield* (yield* Passkeys).list
  return { did, handle, passkeyList, secondFactor: yield* (yield* SecondFactors).isOn }
})

const addPasskeyByLink = Effect.fnUntraced(function* (
  input: Ceremony & {
    readonly secret: string
    readonly code: string
    readonly name: string
    readonly response: CredentialJson
  }
) {
  const { secret, code, ...passkey } = input
  const factors = yield* SecondFactors
  const account = yield* linkedAccount(secret)
  if (yield* factors.isOn) yield* slowToFail(proveSecondFactor(account, code))
  // The account may have changed while the code was checked.
  yield* linkedAccount(secret)
  if (!(yield* PasskeyLinks).use(secret)) return yield* new PasskeyLinkOver()
  return yield* Effect.catchTag(
    addPasskey(passkey),
    "PasskeyRefused",
    () => new InvalidRequest({ message: "The passkey could not be added, and the link is used up" })
  )
})

/** The calls to the account's object for second factors and passkeys. */
export const factorCalls = {
  proveCode,
  mailSignInCode,
  provePasskey,
  beginAuthenticator,
  confirmAuthenticator,
  disableAuthenticator,
  resetAuthenticator,
  renewRecoveryCodes,
  addPasskey,
  renamePasskey,
  removePasskey,
  proveSession,
  makePasskeyLink,
  openPasskeyLink,
  addPasskeyByLink
}
