import { createHmac } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Account, AccountStore, inactiveStatus } from "../accounts/AccountStore.ts"
import { downFailure, suspensionOf } from "../accounts/suspension.ts"
import type { Takedowns } from "../accounts/Takedowns.ts"
import { Passkeys } from "../factors/Passkeys.ts"
import { SecondFactors } from "../factors/SecondFactors.ts"
import { Config } from "../host/Config.ts"
import { hkdfKeys } from "../host/derivedSecrets.ts"
import type { InactiveStatus } from "../stream/Sequencer.ts"

/** The password has changed since it was verified. */
export class PasswordChanged extends Schema.TaggedError<PasswordChanged>()("PasswordChanged", {}) {}

/** What the sign-in pages need to know about an account. */
export interface OwnerView {
  readonly did: string
  readonly handle: string
  readonly email?: string
  readonly emailConfirmed: boolean
  readonly status?: InactiveStatus
  /** Why it is suspended. */
  readonly suspendedFor?: string
  readonly hasPassword: boolean
  /** Differs for each password without revealing it; verifying an old password proves nothing. */
  readonly passwordVersion: string
  /** Whether an authenticator is on. */
  readonly secondFactor: boolean
  /** Since when mailed codes are on (ISO); an authenticator comes before them. */
  readonly emailFactorSince?: string
  readonly passkeys: number
}

/** Rejects an account that was taken down, even with valid credentials. */
export const notTakenDown = (account: Account) =>
  account.takedown === undefined
    ? Effect.succeed(account)
    : Effect.flatMap(downFailure(account), Effect.fail)

/** The account in this object. */
export const currentAccount = Effect.flatMap(AccountStore, (accounts) => accounts.get)

/** The account in this object, unless it was taken down. */
export const goodAccount = Effect.flatMap(currentAccount, notTakenDown)

const versionsOf = Effect.fnUntraced(function* ({ password = "" }: Account) {
  return hkdfKeys(yield* Config, "password versions").map((key) =>
    createHmac("sha256", key).update(password).digest("base64url")
  )
})

/** A text that differs for each password without revealing it. */
export const versionOf = (account: Account) =>
  Effect.map(versionsOf(account), ([version = ""]) => version)

/** Whether `versionOf` returned this text for the account's current password. */
export const isCurrentVersion = (account: Account, version: string | undefined) =>
  Effect.map(versionsOf(account), (versions) => version !== undefined && versions.includes(version))

/** What the sign-in pages need to know about this account. */
export const viewOf = Effect.fnUntraced(function* (
  account: Account
): Effect.fn.Return<OwnerView, never, Config | SecondFactors | Passkeys | Takedowns> {
  const { did, handle, email, emailConfirmedAt, emailFactorAt } = account
  const status = inactiveStatus(account)
  const suspendedFor = yield* suspensionOf(account)
  return {
    did,
    handle,
    ...(email === undefined ? {} : { email }),
    emailConfirmed: emailConfirmedAt !== undefined,
    ...(emailFactorAt === undefined ? {} : { emailFactorSince: emailFactorAt }),
    ...(status === undefined ? {} : { status }),
    ...(suspendedFor === undefined ? {} : { suspendedFor }),
    hasPassword: account.password !== undefined,
    passwordVersion: yield* versionOf(account),
    secondFactor: yield* (yield* SecondFactors).isOn,
    passkeys: (yield* (yield* Passkeys).list).length
  }
})
