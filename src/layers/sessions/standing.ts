import * as Result from "effect/Result"
import type { Account, AccountStore } from "../../services/accounts/AccountStore.ts"
import type { OAuthSessions } from "../../services/oauth/OAuthSessions.ts"
import { type Auth, Denied } from "../../services/sessions/Auth.ts"
import type { Authority, Caller, SessionLevel } from "../../services/sessions/Authority.ts"
import type { OwnTokens } from "../../services/sessions/OwnTokens.ts"
import type { Sessions } from "../../services/sessions/Sessions.ts"
import { invalidToken } from "../oauth/judgeApp.ts"

type SessionAuthority = Extract<Authority, { readonly kind: "session" }>

/** Rejects a caller. */
export const deny = (error: Denied["error"], message: string) =>
  Result.fail(new Denied({ error, message }))

/** Rejects callers if the account's status forbids the method. */
export const checkStanding = (
  account: Account,
  { takendown, active }: Pick<SessionAuthority, "takendown" | "active">,
  isOwner: boolean
): Result.Result<void, Denied> => {
  if (account.takedown !== undefined && !(takendown === true && isOwner)) {
    return deny("AccountTakedown", "Account has been taken down")
  }
  return active === true && account.deactivatedAt !== undefined
    ? deny("AccountDeactivated", "Account is deactivated")
    : Result.void
}

/**
 * A session's level, unless the account's status forbids the method to it: one opened before a
 * takedown may do no more than one opened after it.
 */
export const levelNow = (
  account: Account,
  level: SessionLevel | "takendown",
  authority: SessionAuthority
): Result.Result<SessionLevel | "takendown", Denied> =>
  Result.map(checkStanding(account, authority, level === "full" || level === "takendown"), () =>
    account.takedown === undefined ? level : "takendown"
  )

interface Stores {
  readonly accounts: AccountStore["Service"]
  readonly sessions: Sessions["Service"]
  readonly apps: OAuthSessions["Service"]
  readonly ownTokens: OwnTokens["Service"]
}

const revoked = "Token has been revoked"

/** Authenticates a caller again without the credentials, over the account's stores. */
export const rechecking =
  ({ accounts, sessions, apps, ownTokens }: Stores): Auth["Service"]["recheck"] =>
  (caller, authority) => {
    if (authority.kind !== "session") return Result.succeed(caller)
    const account = accounts.peek()
    if (account === undefined) {
      return deny("AccountNotFound", "Account not found")
    }
    const standing = (again: Caller) =>
      Result.map(checkStanding(account, authority, false), () => again)
    if (caller.kind === "service") return standing(caller)
    if (caller.kind === "session") {
      return sessions.find(caller.session) === undefined
        ? deny("ExpiredToken", revoked)
        : Result.map(levelNow(account, caller.level, authority), (level) => ({ ...caller, level }))
    }
    if (caller.kind !== "oauth") return Result.succeed(caller)
    if (caller.clientId !== undefined) {
      return apps.find(caller.session) === undefined ? invalidToken(revoked) : standing(caller)
    }
    const isThere = sessions.find(caller.session) !== undefined || ownTokens.has(caller.session)
    return isThere ? standing(caller) : deny("InvalidToken", revoked)
  }
