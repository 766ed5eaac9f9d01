import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { type Account, AccountStore } from "../accounts/AccountStore.ts"
import { maxPasswordLength, Passwords } from "./Passwords.ts"

/** The password is not the account's own, or the account doesn't exist. */
class WrongPassword extends Schema.TaggedError<WrongPassword>()("WrongPassword", {}) {}

/**
 * How long after confirming their identity somebody may change security settings, in milliseconds.
 */
export const recentMillis = 15 * 60_000

/** Minimum duration of a failed attempt, in milliseconds: the time must not reveal the reason. */
export const failureMillis = 350

/** Makes every failed attempt take the minimum time; a successful one isn't delayed. */
export const slowToFail = Effect.fnUntraced(function* <A, E, R>(attempt: Effect.Effect<A, E, R>) {
  const floor = yield* Effect.forkChild(Effect.sleep(failureMillis))
  const proven = yield* Effect.tapError(attempt, () => Fiber.await(floor))
  yield* Fiber.interrupt(floor)
  return proven
})

/** This object's account, after verifying its own password; app passwords don't count. */
export const provePassword = Effect.fn("provePassword")(function* (password: string) {
  const accounts = yield* AccountStore
  const account = accounts.peek()
  // Without an account or a password, does the same work in vain.
  const known = password.length <= maxPasswordLength ? account?.password : undefined
  const passwords = yield* Passwords
  const isRight = yield* passwords.verify(password.slice(0, maxPasswordLength), known)
  // The account may have changed during verification.
  const current = accounts.peek()
  if (current === undefined || !isRight || current.password !== account?.password) {
    return yield* new WrongPassword()
  }
  return current
})

/**
 * Rehashes a password whose hash has outdated parameters; returns the account with a hash of this
 * password.
 */
export const renewHash = Effect.fnUntraced(function* (account: Account, password: string) {
  const passwords = yield* Passwords
  if (account.password === undefined || !passwords.isOutdated(account.password)) return account
  const renewed = yield* passwords.hash(password)
  const accounts = yield* AccountStore
  // Hashing takes time: keeps a password that was changed meanwhile.
  if (accounts.peek()?.password !== account.password) return account
  return yield* accounts.update({ password: renewed })
})
