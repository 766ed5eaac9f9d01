import * as Effect from "effect/Effect"
import { type Account, AccountStore } from "../accounts/AccountStore.ts"
import { Background } from "../host/Background.ts"
import { Config, type Settings } from "../host/Config.ts"
import { type Mail, Mailer } from "../mail/Mailer.ts"
import { AccountCodes } from "../mail/AccountCodes.ts"
import { SecondFactors, WrongCode } from "./SecondFactors.ts"

const warning = (
  { handle }: Account,
  to: string,
  { brand, host, publicUrl }: Pick<Settings, "brand" | "host" | "publicUrl">
): Mail => {
  const lines = [
    `Hello @${handle},`,
    `somebody entered the password of your account on ${publicUrl} and then a wrong code, a dozen times within a day. Your authenticator kept them out.`,
    `If it was you, ignore this mail.`,
    `If it was not you, somebody knows your password. Choose a new one: ${publicUrl}/account/password`
  ]
  return {
    to,
    subject: `Somebody may know your password (${brand.name ?? host})`,
    text: `${lines.join("\n\n")}\n`,
    purpose: "wrong_codes"
  }
}

/**
 * Warns the owner by mail that somebody is trying codes; if it fails, the next wrong code tries
 * again.
 */
const warnOwner = Effect.gen(function* () {
  const account = yield* (yield* AccountStore).get
  const mailer = yield* Mailer
  if (account.email === undefined) return
  yield* mailer.send(warning(account, account.email, yield* Config))
}).pipe(
  Effect.catchCause((cause) =>
    Effect.gen(function* () {
      yield* (yield* SecondFactors).ownerWasNotTold
      yield* Effect.logWarning("an owner was not told of wrong codes", cause)
    })
  )
)

const countMiss = Effect.gen(function* () {
  if (!(yield* (yield* SecondFactors).isOwnerToBeTold)) return
  const services = yield* Effect.context<AccountStore | Mailer | Config | SecondFactors>()
  yield* (yield* Background).run(Effect.provide(warnOwner, services))
})

/** What a sign-in with the password takes besides. */
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
    return yield* Effect.mapError((yield* AccountCodes).use("auth_factor", code), refused)
  }
  yield* Effect.tapError((yield* SecondFactors).use(account.did, code), () => countMiss)
})
