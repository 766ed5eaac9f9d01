import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AccountLimits } from "../../services/limits/AccountLimits.ts"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import { type Account, AccountStore, inactiveStatus } from "../../services/accounts/AccountStore.ts"
import { Auth, Denied } from "../../services/sessions/Auth.ts"
import { Config, type Settings } from "../../services/host/Config.ts"
import { type Mail, Mailer } from "../../services/mail/Mailer.ts"
import { linkLife, PasskeyLinks } from "../../services/factors/PasskeyLinks.ts"
import { passkeyLinkMail } from "../../services/mail/mailTexts.ts"
import { Passkeys } from "../../services/factors/Passkeys.ts"
import { slowToFail } from "../../services/sessions/PasswordProof.ts"
import { recentMillis } from "../../services/sessions/recentProof.ts"
import { proveSecondFactor } from "../../services/factors/SecondFactorProof.ts"
import { SecondFactors } from "../../services/factors/SecondFactors.ts"
import { Sessions } from "../../services/sessions/Sessions.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { addPasskey, versionOf } from "../sessions/securityCalls.ts"

type Input<K extends keyof AccountCalls> = AccountCalls[K]["input"]

const linkLimits = [
  { limit: 10, windowSeconds: 3600 },
  { limit: 30, windowSeconds: 86_400 }
]

const proveSession = Effect.fnUntraced(function* (credentials: Input<"proveSession">) {
  const authority = { kind: "session", level: "full", oauth: "no" } as const
  const caller = yield* (yield* Auth).authenticate(credentials, authority, "manage")
  const session = caller.kind === "session" ? (yield* Sessions).find(caller.session) : undefined
  const until = (session?.createdAt ?? 0) + recentMillis
  if (until > (yield* Clock.currentTimeMillis)) return { until }
  return yield* new Denied({
    error: "AuthenticationRequired",
    message: "Sign in again: this takes a session that began in the last 15 minutes"
  })
})

/** The account, if it is active: no link is made for, nor good of, one that is not. */
const activeAccount = Effect.gen(function* () {
  const account = yield* (yield* AccountStore).get
  const status = inactiveStatus(account)
  if (status === undefined) return account
  return yield* status === "deactivated"
    ? new Denied({ error: "AccountDeactivated", message: "Account is deactivated" })
    : new Denied({ error: "AccountTakedown", message: "Account has been taken down" })
})

const mailOf = (
  { handle }: Account,
  to: string,
  by: Input<"makePasskeyLink">["by"],
  { brand, host, publicUrl }: Settings
): Mail => {
  const mail = passkeyLinkMail(by, { handle, server: brand.name ?? host, publicUrl })
  return { to, purpose: "passkey_link", ...mail }
}

const makePasskeyLink = Effect.fnUntraced(function* ({ by, until }: Input<"makePasskeyLink">) {
  const account = yield* activeAccount
  const mailer = yield* Mailer
  const links = yield* PasskeyLinks
  yield* (yield* AccountLimits).take("passkey link", linkLimits)
  const now = yield* Clock.currentTimeMillis
  const expiresAt = Math.min(now + linkLife, until ?? Infinity)
  const secret = yield* links.make({ expiresAt, passwordVersion: yield* versionOf(account) })
  const { email } = account
  if (mailer.delivers && email !== undefined) {
    const mail = mailOf(account, email, by, yield* Config)
    // Whoever cannot be told of a link has none.
    yield* Effect.tapError(Effect.retry(mailer.send(mail), { times: 1 }), () =>
      Effect.sync(() => links.revoke())
    )
  }
  return { secret, expiresAt }
})

const linkOver = () => new Denied({ error: "ExpiredToken", message: "This link is over" })

/** The account of a link that is good; an object without an account has no tables to look into. */
const linkedAccount = Effect.fnUntraced(function* (secret: string) {
  const account = (yield* AccountStore).peek()
  if (account === undefined || inactiveStatus(account) !== undefined) return yield* linkOver()
  const link = yield* (yield* PasskeyLinks).find(secret)
  return link?.passwordVersion === (yield* versionOf(account)) ? account : yield* linkOver()
})

const openPasskeyLink = Effect.fnUntraced(function* ({ secret }: Input<"openPasskeyLink">) {
  const { did, handle } = yield* linkedAccount(secret)
  const passkeyList = yield* (yield* Passkeys).list
  return { did, handle, passkeyList, secondFactor: yield* (yield* SecondFactors).isOn }
})

const addPasskeyByLink = Effect.fnUntraced(function* (input: Input<"addPasskeyByLink">) {
  const { secret, code, ...passkey } = input
  const factors = yield* SecondFactors
  const { did } = yield* linkedAccount(secret)
  if (yield* factors.isOn) yield* slowToFail(proveSecondFactor(did, code))
  // The account may have changed while the code was looked at.
  yield* linkedAccount(secret)
  if (!(yield* PasskeyLinks).use(secret)) return yield* linkOver()
  return yield* Effect.catchTag(
    addPasskey(passkey),
    "PasskeyRefused",
    () => new InvalidRequest({ message: "The passkey could not be added, and the link is used up" })
  )
})

/** What the account's object does about passkeys for command lines, and for who opens a link. */
export const passkeyLinkCalls = {
  proveSession,
  makePasskeyLink,
  openPasskeyLink,
  addPasskeyByLink
}
