import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Role } from "../../../core/operators/roles.ts"
import { Accounts } from "../../../services/accounts/Accounts.ts"
import { type DeviceAccount, Devices } from "../../../services/oauth/Devices.ts"
import { Operators } from "../../../services/operators/Operators.ts"
import type { SecurityView } from "../../../services/sessions/calls.ts"
import { recentMillis } from "../../../services/sessions/PasswordProof.ts"
import type { PageFailure } from "../failurePage.ts"
import { type frame, notices } from "../text/console.ts"
import type { Visitor } from "../visitor.ts"

/** The name of a notice. */
export type ConsoleNotice = keyof typeof notices

/** The name of a tab. */
export type ConsoleTab = keyof typeof frame.tabs

/** An operator at the console. */
export interface Operating {
  readonly visitor: Visitor
  readonly account: DeviceAccount
  readonly view: SecurityView
  readonly role: Role
  readonly now: number
  readonly tabs: ReadonlyArray<ConsoleTab>
  readonly notice: ConsoleNotice | undefined
}

/** What a visitor is to the console. */
export type Found =
  | { readonly kind: "operator"; readonly operating: Omit<Operating, "tabs" | "notice"> }
  /** Nobody is signed in on this device. */
  | { readonly kind: "nobody" }
  /** The accounts that are signed in have no role. */
  | { readonly kind: "stranger" }
  | { readonly kind: "inactive" }
  | { readonly kind: "no factor" }
  /** The operator must prove again who they are. */
  | { readonly kind: "unproven"; readonly did: string }

/**
 * Whether the last sign-in on this device was recent and took more than a password.
 *
 * With an authenticator, every sign-in takes a code or a passkey; one before its set-up may have
 * taken a password only.
 */
const isProven = (account: DeviceAccount, authenticatorSince: number, now: number): boolean =>
  now - account.authenticatedAt <= recentMillis && account.authenticatedAt >= authenticatorSince

/** Finds the operator among the accounts that are signed in on the device: the named one, or the first with a role. */
export const findOperator = Effect.fn("console.findOperator")(function* (
  visitor: Visitor,
  named?: string
): Effect.fn.Return<Found, PageFailure, Accounts | Devices | Operators> {
  const accounts = yield* (yield* Devices).accounts(visitor.device.id)
  if (accounts.length === 0) return { kind: "nobody" }
  const operators = yield* Operators
  for (const account of accounts) {
    if (named !== undefined && account.did !== named) continue
    const role = yield* operators.role(account.did)
    if (role === undefined) continue
    const view = yield* (yield* Accounts).call(account.did, "security")
    if (view.status !== undefined) return { kind: "inactive" }
    if (view.authenticatorSince === undefined) return { kind: "no factor" }
    const now = yield* Clock.currentTimeMillis
    if (!isProven(account, view.authenticatorSince, now)) {
      return { kind: "unproven", did: account.did }
    }
    return { kind: "operator", operating: { visitor, account, view, role, now } }
  }
  return { kind: "stranger" }
})

/** The notice of an address; undefined for any other text. */
export const noticeOf = (word: string | null): ConsoleNotice | undefined =>
  word !== null && Object.hasOwn(notices, word) ? (word as ConsoleNotice) : undefined
