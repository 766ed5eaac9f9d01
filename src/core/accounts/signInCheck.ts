import { utcMinute } from "../host/utcMinute.ts"
import type { RefusedWay } from "./history.ts"

/** What an account's object knows about signing in to it. */
export interface SignInFacts {
  readonly handle: string
  readonly status?: string
  /** Why it is suspended. */
  readonly suspendedFor?: string
  /** When it will be deleted (ISO). */
  readonly deleteAfter?: string
  readonly hasPassword: boolean
  readonly passkeys: number
  readonly appPasswords: number
  readonly authenticator: boolean
  readonly recoveryCodesLeft: number
  /** Until when every code is rejected, after too many wrong ones (ms). */
  readonly codesBlockedUntil?: number
  readonly emailFactor: boolean
  readonly hasEmail: boolean
  readonly emailConfirmed: boolean
  /** Refused attempts of the last 24 hours. */
  readonly refused: Readonly<Partial<Record<RefusedWay, number>>>
}

/** Whether an owner can sign in, in a sentence and with all reasons. */
export interface SignInCheck {
  readonly canSignIn: boolean
  readonly summary: string
  readonly reasons: ReadonlyArray<string>
}

const standingOf = ({ status, suspendedFor, deleteAfter }: SignInFacts): ReadonlyArray<string> => [
  ...(status === "suspended"
    ? [`The account is suspended${suspendedFor === undefined ? "" : `: ${suspendedFor}`}`]
    : []),
  ...(status === "takendown" ? ["The account is taken down"] : []),
  ...(status === "deactivated"
    ? ["The account is deactivated: its owner can sign in and reactivate it, apps can't use it"]
    : []),
  ...(deleteAfter === undefined
    ? []
    : [`The account will be deleted on ${utcMinute(Date.parse(deleteAfter))}`])
]

const factorsOf = (facts: SignInFacts, delivers: boolean): ReadonlyArray<string> => {
  const { authenticator, recoveryCodesLeft, codesBlockedUntil, emailFactor, emailConfirmed } = facts
  if (authenticator) {
    return [
      `The password takes a code of the authenticator, or one of ${recoveryCodesLeft} recovery codes`,
      ...(codesBlockedUntil === undefined
        ? []
        : [`Too many wrong codes: every code is rejected until ${utcMinute(codesBlockedUntil)}`])
    ]
  }
  if (!emailFactor) return []
  if (!delivers) return ["The password takes a code by email, but the server sends no email"]
  return [
    emailConfirmed
      ? "The password takes a code by email"
      : "The password takes a code by email, but the address isn't confirmed"
  ]
}

const helpOf = ({ hasEmail }: SignInFacts, delivers: boolean): ReadonlyArray<string> => {
  if (!delivers) return ["The server sends no email: read codes for a new password yourself"]
  return hasEmail
    ? []
    : ["The account has no email address, so no code for a new password reaches it"]
}

const refusedOf = ({ refused }: SignInFacts): ReadonlyArray<string> => {
  const counts = Object.entries(refused).map(([way, count]) => `${count} × ${way}`)
  return counts.length === 0
    ? []
    : [
        `Refused in the last 24 hours: ${counts.join(", ")}. After 30 wrong passwords in 5 minutes, an address has to wait`
      ]
}

/** Judges whether an owner can sign in. `delivers`: the server sends mail. */
export const signInCheck = (
  facts: SignInFacts,
  { delivers }: { readonly delivers: boolean }
): SignInCheck => {
  const { handle, status, hasPassword, passkeys, authenticator, codesBlockedUntil } = facts
  const isDown = status === "suspended" || status === "takendown"
  const mailsNoCode = !authenticator && facts.emailFactor && !delivers
  const byPassword = hasPassword && codesBlockedUntil === undefined && !mailsNoCode
  const ways = [
    ...(byPassword ? ["the password"] : []),
    ...(passkeys > 0 ? [passkeys === 1 ? "a passkey" : `one of ${passkeys} passkeys`] : [])
  ]
  const canSignIn = !isDown && ways.length > 0
  const reasons = [
    ...standingOf(facts),
    ...(hasPassword ? [] : ["The account has no password"]),
    ...factorsOf(facts, delivers),
    ...refusedOf(facts),
    ...helpOf(facts, delivers)
  ]
  const why = isDown ? standingOf(facts)[0] : "no way in works right now"
  const summary = canSignIn
    ? `${handle} can sign in with ${ways.join(" or ")}`
    : `${handle} can't sign in: ${why?.replace(/^The account/, "the account")}`
  return { canSignIn, summary, reasons }
}
