import type { DeviceAccount } from "../../services/oauth/Devices.ts"
import type { Prompt } from "../../core/oauth/types.ts"

/** How long a sign-in on a device is valid for new apps. */
const freshMillis = 7 * 86_400_000

/** What determines the next page. */
export interface Situation {
  readonly prompt: Prompt | undefined
  /** The account that the app requests, if it is on this server. */
  readonly hint: string | undefined
  readonly accounts: ReadonlyArray<DeviceAccount>
  /** The user's choice, from the links on the pages. */
  readonly chosen: { readonly account?: string | undefined; readonly page?: string | undefined }
  /** When the app pushed its request. */
  readonly requestedAt: number
  readonly now: number
  readonly canSignUp: boolean
}

/** The next page. */
export type Step =
  | { readonly kind: "consent"; readonly did: string }
  | { readonly kind: "sign in"; readonly did?: string }
  | { readonly kind: "choose" }
  | { readonly kind: "sign up" }

/**
 * Whether an account need not sign in again; `prompt=login` requires a sign-in since the request.
 */
export const isFresh = (
  { authenticatedAt }: DeviceAccount,
  { prompt, requestedAt, now }: Pick<Situation, "prompt" | "requestedAt" | "now">
): boolean =>
  now - authenticatedAt <= freshMillis && (prompt !== "login" || authenticatedAt >= requestedAt)

const settled = (account: DeviceAccount, situation: Situation): Step => ({
  kind: isFresh(account, situation) ? "consent" : "sign in",
  did: account.did
})

/** Determines the next page. */
export const nextStep = (situation: Situation): Step => {
  const { accounts, canSignUp, chosen, hint, prompt } = situation
  const find = (did: string | undefined) => accounts.find((account) => account.did === did)
  if (hint !== undefined) {
    const wanted = find(hint)
    return wanted === undefined ? { kind: "sign in", did: hint } : settled(wanted, situation)
  }
  if (chosen.page === "sign-in") return { kind: "sign in" }
  if (chosen.page === "sign-up" && canSignUp) return { kind: "sign up" }
  if (chosen.page === "choose" && accounts.length > 0) return { kind: "choose" }
  const picked = find(chosen.account)
  if (picked !== undefined) return settled(picked, situation)
  if (prompt === "create" && canSignUp) return { kind: "sign up" }
  const [first, ...more] = accounts
  if (first === undefined) return { kind: "sign in" }
  return more.length > 0 || prompt === "select_account"
    ? { kind: "choose" }
    : settled(first, situation)
}

/** Whether the user decided about all of the scope before. */
export const isCovered = (scope: string, consented: string | undefined): boolean => {
  const before = new Set(consented?.split(" "))
  return scope.split(" ").every((value) => before.has(value) || before.has(`-${value}`))
}
