import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SignInFacts } from "../../core/accounts/signInCheck.ts"
import { Passkeys } from "../factors/Passkeys.ts"
import { SecondFactors } from "../factors/SecondFactors.ts"
import { AppPasswords } from "../sessions/AppPasswords.ts"
import { deletionDay } from "./AccountDeletion.ts"
import { AccountHistory } from "./AccountHistory.ts"
import { AccountStore, inactiveStatus } from "./AccountStore.ts"
import { suspensionOf } from "./suspension.ts"

const day = 86_400_000

/** What this object knows about signing in to its account. */
export const signInFacts = Effect.fn("signInFacts")(function* () {
  const account = yield* (yield* AccountStore).get
  const { codesBlockedUntil, ...factor } = yield* (yield* SecondFactors).status
  const history = yield* AccountHistory
  const since = (yield* Clock.currentTimeMillis) - day
  const status = inactiveStatus(account)
  const suspendedFor = yield* suspensionOf(account)
  const deleteAfter = yield* deletionDay(account)
  return {
    handle: account.handle,
    ...(status === undefined ? {} : { status }),
    ...(suspendedFor === undefined ? {} : { suspendedFor }),
    ...(deleteAfter === undefined ? {} : { deleteAfter }),
    hasPassword: account.password !== undefined,
    passkeys: (yield* (yield* Passkeys).list).length,
    appPasswords: (yield* (yield* AppPasswords).list).length,
    authenticator: factor.authenticatorSince !== undefined,
    recoveryCodesLeft: factor.recoveryCodesLeft,
    ...(codesBlockedUntil === undefined ? {} : { codesBlockedUntil }),
    emailFactor: account.emailFactorAt !== undefined,
    hasEmail: account.email !== undefined,
    emailConfirmed: account.emailConfirmedAt !== undefined,
    refused: history.refusedSince(since)
  } satisfies SignInFacts as SignInFacts
})
