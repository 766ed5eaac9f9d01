import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { type Account, AccountStore } from "../accounts/AccountStore.ts"
import { maxPasswordLength, Passwords } from "./Passwords.ts"

/** The password is not the account's own, or there is no account. */
export class WrongPassword extends Schema.TaggedError<WrongPassword>()("WrongPassword", {}) {}

/** How long somebody may change who can get in after they have shown who they are, in milliseconds. */
export const recentMillis = 15 * 60_000

/** How long a failed attempt takes at least, in milliseconds: the time must not tell why it failed. */
const failureMillis = 350

/** Lets an attempt fail no sooner than any other; one that succeeds is not held up. */
export const slowToFail = Effect.fnUntraced(function* <A, E, R>(attempt: Effect.Effect<A, E, R>) {
  const floor = yield* Effect.forkChild(Effect.sleep(failureMillis))
  const proven = yield* Effect.tapError(attempt, () => Fiber.await(floor))
  yield* Fiber.interrupt(floor)
  return proven
})

/** The account of this object, once the password is proven to be its own; app passwords prove nothing here. */
export const provePassword = Effect.fn("provePassword")(function* (password: string) {
  const accounts = yield* AccountStore
  const account = accounts.peek()
  // Without an account, or without a password of its own, the same work is done for nothing.
  const known = password.length <= maxPasswordLength ? account?.password : undefined
  const passwords = yield* Passwords
  const isRight = yield* passwords.verify(password.slice(0, maxPasswordLength), known)
  // The account may have been changed while the password was being verified.
  const current = accounts.peek()
  if (current === undefined || !isRight || current.password !== account?.password) {
    return yield* new WrongPassword()
  }
  return current
})

/**
 * Hashes again a password whose hash has parameters of another time; answers the account with the hash of this
 * very password.
 */
export const renewHash = Effect.fnUntraced(function* (account: Account, password: string) {
  const passwords = yield* Passwords
  if (account.password === undefined || !passwords.isOutdated(account.password)) return account
  const renewed = yield* passwords.hash(password)
  const accounts = yield* AccountStore
  // Hashing takes its time: a password that was changed meanwhile stays.
  if (accounts.peek()?.password !== account.password) return account
  return yield* accounts.update({ password: renewed })
})
