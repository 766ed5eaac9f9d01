import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Level } from "../auth/sessionToken.ts"
import { type Account, AccountStore, inactiveStatus } from "./AccountStore.ts"
import { AppPasswords } from "./AppPasswords.ts"
import { Denied } from "./Auth.ts"
import { ownDocument } from "./OwnDocument.ts"
import { maxPasswordLength, Passwords } from "./Passwords.ts"
import { Sessions } from "./Sessions.ts"

/** What a person signs in with; the account is that of this object. */
export interface SignInInput {
  readonly password: string
  /** The owner of a taken-down account wants a session to move away or to appeal. */
  readonly allowTakendown?: boolean | undefined
}

/** How long a failed attempt takes at least, in milliseconds: the time must not tell why it failed. */
const failureMillis = 350

const wrongPassword = () =>
  new Denied({ error: "AuthenticationRequired", message: "Invalid identifier or password" })

const takenDown = () =>
  new Denied({ error: "AccountTakedown", message: "Account has been taken down" })

/** Hashes again a password whose hash has parameters of another time. */
const renewHash = Effect.fnUntraced(function* (account: Account, password: string) {
  const passwords = yield* Passwords
  if (account.password === undefined || !passwords.isOutdated(account.password)) return
  const renewed = yield* passwords.hash(password)
  const accounts = yield* AccountStore
  // Hashing takes its time: a password that was changed meanwhile stays.
  if (accounts.peek()?.password === account.password) yield* accounts.update({ password: renewed })
})

interface Proven {
  readonly account: Account
  readonly level: Level
  readonly appPassword?: string
}

const prove = Effect.fnUntraced(function* ({ password, allowTakendown }: SignInInput) {
  const passwords = yield* Passwords
  const accounts = yield* AccountStore
  const account = accounts.peek()
  const appPassword = account && (yield* (yield* AppPasswords).match(account.did, password))
  if (account !== undefined && appPassword !== undefined) {
    if (account.takedown !== undefined) return yield* takenDown()
    const level = appPassword.privileged ? "privileged" : "standard"
    return { account, level, appPassword: appPassword.name } satisfies Proven
  }
  // Without an account, or without a password of its own, the same work is done for nothing.
  const known = password.length <= maxPasswordLength ? account?.password : undefined
  const isRight = yield* passwords.verify(password.slice(0, maxPasswordLength), known)
  // The account may have been changed while the password was being verified.
  const current = accounts.peek()
  if (current === undefined || !isRight || current.password !== account?.password) {
    return yield* wrongPassword()
  }
  if (current.takedown !== undefined && allowTakendown !== true) return yield* takenDown()
  const level = current.takedown === undefined ? "full" : "takendown"
  return { account: current, level } satisfies Proven
})

/** Opens a session by the account's password or by one of its app passwords. */
export const signIn = Effect.fn("signIn")(function* (input: SignInInput) {
  const floor = yield* Effect.forkChild(Effect.sleep(failureMillis))
  const proven: Proven = yield* Effect.tapError(prove(input), () => Fiber.await(floor))
  // Opened in the turn of the proof: a password changed from now on ends this session with the others.
  const tokens = yield* (yield* Sessions).open(proven.account.did, proven)
  yield* Fiber.interrupt(floor)
  if (proven.appPassword === undefined) {
    yield* Effect.ignore(renewHash(proven.account, input.password))
  }
  return { ...tokens, ...(yield* sessionView(proven.account)) }
})

/** What the answers about a session tell of its account. */
export const sessionView = Effect.fnUntraced(function* (account: Account) {
  const { did, handle, email, emailConfirmed } = account
  const status = inactiveStatus(account)
  return {
    did,
    handle,
    didDoc: yield* ownDocument(account),
    ...(email === undefined ? {} : { email, emailConfirmed }),
    active: status === undefined,
    ...(status === undefined ? {} : { status })
  }
})

/** The session goes on with new tokens; a taken-down account's does not. */
export const refreshSession = Effect.fn("refreshSession")(function* (
  session: string,
  token: string
) {
  const account = yield* (yield* AccountStore).get
  if (account.takedown !== undefined) return yield* takenDown()
  const { accessJwt, refreshJwt } = yield* (yield* Sessions).refresh(account.did, session, token)
  return { accessJwt, refreshJwt, ...(yield* sessionView(account)) }
})
