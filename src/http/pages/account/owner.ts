import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SecurityView } from "../../../services/sessions/calls.ts"
import { Accounts } from "../../../services/accounts/Accounts.ts"
import { type DeviceAccount, Devices } from "../../../services/oauth/Devices.ts"
import { recentMillis } from "../../../services/sessions/PasswordProof.ts"
import { livesAt } from "../livesAt.ts"
import type { Visitor } from "../visitor.ts"

/** A signed-in user at their account. */
export interface Owner {
  readonly visitor: Visitor
  /** The account as it is signed in on this device. */
  readonly account: DeviceAccount
  /** The account's own record of its sign-ins. */
  readonly view: SecurityView
  /** Whether other accounts are signed in on this device too. */
  readonly several: boolean
  readonly now: number
  /** The host of the server that the account has moved to. */
  readonly livesAt: string | undefined
  /** A notice about the last form. */
  readonly notice: string | undefined
}

/** Whether the last proof on this device is recent. */
export const isRecent = ({ account, now }: Owner): boolean =>
  now - account.authenticatedAt <= recentMillis

/** The account of a visitor: the named one, or the only one; `choose` if the request must name one of several. */
export type Found =
  | { readonly kind: "owner"; readonly owner: Owner }
  | { readonly kind: "choose"; readonly accounts: ReadonlyArray<DeviceAccount> }
  | { readonly kind: "nobody" }
  /** The account is taken down or suspended (with a reason); these pages can't change it. */
  | { readonly kind: "closed"; readonly reason?: string }

/**
 * Finds the visitor's account among those signed in on the same device.
 *
 * Whatever a page or form names later is checked against this account only.
 */
export const findOwner = Effect.fn("account.findOwner")(function* (
  visitor: Visitor,
  named: string | undefined,
  notice?: string
) {
  const accounts = yield* (yield* Devices).accounts(visitor.device.id)
  const [first, ...more] = accounts
  if (first === undefined) return { kind: "nobody" } satisfies Found as Found
  if (named === undefined && more.length > 0) {
    return { kind: "choose", accounts } satisfies Found as Found
  }
  const account = named === undefined ? first : accounts.find(({ did }) => did === named)
  if (account === undefined) return { kind: "nobody" } satisfies Found as Found
  const view = yield* (yield* Accounts).call(account.did, "security")
  if (view.status !== undefined && view.status !== "deactivated") {
    const { suspendedFor: reason } = view
    const closed = { kind: "closed", ...(reason === undefined ? {} : { reason }) } as const
    return closed satisfies Found as Found
  }
  const now = yield* Clock.currentTimeMillis
  const home = view.status === "deactivated" ? yield* livesAt(account.did) : undefined
  const owner = { visitor, account, view, several: more.length > 0, now, livesAt: home, notice }
  return { kind: "owner", owner } satisfies Found as Found
})
