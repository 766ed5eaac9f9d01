import * as Effect from "effect/Effect"
import type { SeenFrom } from "../../core/sessions/seenFrom.ts"
import type { Level } from "../../core/sessions/sessionToken.ts"
import { type Account, AccountStore, inactiveStatus } from "../accounts/AccountStore.ts"
import { countRefused } from "../accounts/AccountHistory.ts"
import { downFailure } from "../accounts/suspension.ts"
import { type AppPassword, AppPasswords } from "./AppPasswords.ts"
import { Denied } from "./Auth.ts"
import * as Soon from "../host/Soon.ts"
import { documentToFollow } from "../identity/HostedDidDocument.ts"
import { provePassword, renewHash, slowToFail } from "./PasswordProof.ts"
import { type Factor, factorOf, proveSecondFactor } from "../factors/SecondFactorProof.ts"
import { mailCode } from "../mail/MailedCodes.ts"
import { Sessions } from "./Sessions.ts"
import { sweepSessionsLater } from "./SessionSweep.ts"

/** A sign-in to this object's account. */
export interface SignInInput {
  readonly password: string
  /** A code from the authenticator, a recovery code or a mailed code, by the account's factor. */
  readonly authFactorToken?: string | undefined
  /** Lets the owner of a taken-down account sign in to move away or to appeal. */
  readonly allowTakendown?: boolean | undefined
  readonly from?: SeenFrom
}

const wrongPassword = () =>
  new Denied({ error: "AuthenticationRequired", message: "Invalid identifier or password" })

const codeRequired = {
  authenticator: "A code of the account's authenticator, or a recovery code, is required",
  email: "A sign-in code has been sent to the account's email address"
} as const satisfies Record<Factor, string>

interface Proven {
  readonly account: Account
  readonly level: Level
  readonly appPassword?: string
}

/** Verifies the second factor, after the password, so strangers never get here. */
const proveCode = Effect.fnUntraced(function* (account: Account, token: string) {
  const factor = yield* factorOf(account)
  if (factor === undefined) return account
  // Clients that haven't asked for the code yet send an empty one.
  if (token.trim() === "") {
    if (factor === "email") yield* mailCode("auth_factor")
    return yield* new Denied({ error: "AuthFactorTokenRequired", message: codeRequired[factor] })
  }
  yield* proveSecondFactor(account, token)
  // The password may have changed while the code was checked.
  const current = (yield* AccountStore).peek()
  if (current === undefined || current.password !== account.password) return yield* wrongPassword()
  return current
})

const levelOf = ({ scope, privileged }: AppPassword): Level => {
  if (scope !== undefined) return "scoped"
  return privileged ? "privileged" : "standard"
}

const prove = Effect.fnUntraced(function* (input: SignInInput) {
  const account = (yield* AccountStore).peek()
  const appPassword = account && (yield* (yield* AppPasswords).match(account.did, input.password))
  if (account !== undefined && appPassword !== undefined) {
    if (account.takedown !== undefined) return yield* yield* downFailure(account)
    const level = levelOf(appPassword)
    return { account, level, appPassword: appPassword.name } satisfies Proven
  }
  const own = yield* provePassword(input.password).pipe(
    Effect.tapError(() => countRefused("password")),
    Effect.mapError(wrongPassword)
  )
  if (own.takedown !== undefined && input.allowTakendown !== true)
    return yield* yield* downFailure(own)
  const current = yield* proveCode(own, input.authFactorToken ?? "")
  const level = current.takedown === undefined ? "full" : "takendown"
  return { account: current, level } satisfies Proven
})

/** Opens a session with the account's password and second factor, or with an app password. */
export const signIn = Effect.fn("signIn")(function* (input: SignInInput) {
  const sessions = yield* Sessions
  const open = Effect.fnUntraced(function* () {
    const proven: Proven = yield* prove(input)
    // Opened in the same turn as the check: a later change of password ends this session with the
    // others.
    return {
      proven,
      tokens: yield* sessions.open(proven.account.did, { ...proven, from: input.from })
    }
  })
  const { proven, tokens } = yield* slowToFail(open())
  yield* sweepSessionsLater
  if (proven.appPassword === undefined) {
    yield* Effect.ignore(renewHash(proven.account, input.password))
  } else yield* (yield* AppPasswords).noteUse(proven.appPassword)
  return { ...tokens, ...(yield* viewOf(proven.account)) }
})

type Viewing = Parameters<typeof documentToFollow>[1]

/** The account's data in responses about a session. */
export const sessionView = (account: Account, services: Viewing) => {
  const { did, handle, email } = account
  const emailConfirmed = account.emailConfirmedAt !== undefined
  const emailAuthFactor = account.emailFactorAt !== undefined
  const status = inactiveStatus(account)
  return Soon.map(documentToFollow(account, services), (document) => ({
    did,
    handle,
    ...document,
    ...(email === undefined ? {} : { email, emailConfirmed, emailAuthFactor }),
    active: status === undefined,
    ...(status === undefined ? {} : { status })
  }))
}

const viewOf = (account: Account) =>
  Soon.within((services: Viewing) => sessionView(account, services))

/** Continues a session with new tokens, unless the account was taken down. */
export const refreshSession = Effect.fn("refreshSession")(function* (
  session: string,
  token: string
) {
  const account = yield* (yield* AccountStore).get
  if (account.takedown !== undefined) return yield* yield* downFailure(account)
  const refreshed = yield* (yield* Sessions).refresh(account.did, session, token)
  const { accessJwt, refreshJwt, appPassword } = refreshed
  if (appPassword !== undefined) yield* (yield* AppPasswords).noteUse(appPassword)
  return { accessJwt, refreshJwt, ...(yield* viewOf(account)) }
})
