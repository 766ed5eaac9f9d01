import * as Effect from "effect/Effect"
import { type Account, AccountStore } from "../accounts/AccountStore.ts"
import { countRefused } from "../accounts/AccountHistory.ts"
import { Background } from "../host/Background.ts"
import { Config } from "../host/Config.ts"
import { AccountCodes } from "../mail/AccountCodes.ts"
import { Mailer } from "../mail/Mailer.ts"
import { mailContext, wrongCodesMail } from "../mail/mailTexts.ts"
import { SecondFactors, WrongCode } from "./SecondFactors.ts"

/**
 * Warns the owner by mail that somebody is trying codes; if it fails, the next wrong code tries
 * again.
 */
const warnOwner = Effect.gen(function* () {
  const account = yield* (yield* AccountStore).get
  const mailer = yield* Mailer
  if (account.email === undefined) return
  const mail = wrongCodesMail(mailContext(account, yield* Config))
  yield* mailer.send({ ...mail, to: account.email, purpose: "wrong_codes" })
}).pipe(
  Effect.catchCause((cause) =>
    Effect.gen(function* () {
      yield* (yield* SecondFactors).ownerWasNotNotified
      yield* Effect.logWarning("an owner was not notified of wrong codes", cause)
    })
  )
)

const countMiss = Effect.gen(function* () {
  if (!(yield* (yield* SecondFactors).isOwnerToBeNotified)) return
  const services = yield* Effect.context<AccountStore | Mailer | Config | SecondFactors>()
  yield* (yield* Background).run(Effect.provide(warnOwner, services))
})

/** The second factor of a sign-in with the password. */
export type Factor = "authenticator" | "email"

/**
 * The factor that an account's sign-in with the password takes; undefined if none.
 *
 * An authenticator comes first: while it's on, no code is mailed and none is accepted.
 */
export const factorOf = Effect.fnUntraced(function* ({ emailFactorAt }: Account) {
  if (yield* (yield* SecondFactors).isOn) return "authenticator" satisfies Factor as Factor
  return emailFactorAt === undefined ? undefined : ("email" satisfies Factor as Factor)
})

/**
 * Uses a second-factor code after the password was verified; warns the owner after a dozen wrong
 * ones of an authenticator.
 */
export const proveSecondFactor = Effect.fn("proveSecondFactor")(function* (
  account: Account,
  code: string
) {
  if ((yield* factorOf(account)) === "email") {
    // An expired code is wrong too: clients know only one error for codes.
    const refused = () => new WrongCode()
    return yield* (yield* AccountCodes).use("auth_factor", code).pipe(
      Effect.tapError(() => countRefused("code")),
      Effect.mapError(refused)
    )
  }
  yield* Effect.tapError((yield* SecondFactors).use(account.did, code), () =>
    Effect.andThen(countRefused("code"), countMiss)
  )
})
