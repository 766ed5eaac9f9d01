import * as Result from "effect/Result"
import type { Account, AccountStore } from "../../services/accounts/AccountStore.ts"
import type { OAuthSessions } from "../../services/oauth/OAuthSessions.ts"
import { type Auth, Denied, OAuthDenied } from "../../services/sessions/Auth.ts"
import type { Authority, Caller, SessionLevel } from "../../services/sessions/Authority.ts"
import type { OwnTokens } from "../../services/sessions/OwnTokens.ts"
import type { Sessions } from "../../services/sessions/Sessions.ts"

type SessionAuthority = Extract<Authority, { readonly kind: "session" }>

/** Rejects callers if the account's status forbids the method. */
export const checkStanding = (
  account: Account,
  { takendown, active }: Pick<SessionAuthority, "takendown" | "active">,
  isOwner: boolean
): Result.Result<void, Denied> => {
  if (account.takedown !== undefined && !(takendown === true && isOwner)) {
    const message = "Account has been taken down"
    return Result.fail(new Denied({ error: "AccountTakedown", message }))
  }
  return active === true && account.deactivatedAt !== undefined
    ? Result.fail(new Denied({ error: "AccountDeactivated", message: "Account is deactivated" }))
    : Result.void
}

/** A session's level: one opened before a takedown may do no more than one opened after it. */
export const levelIn = <L extends SessionLevel | "takendown">(account: Account, level: L) =>
  account.takedown === undefined ? level : "takendown"

const isOwners = (level: SessionLevel | "takendown"): boolean =>
  level === "full" || level === "takendown"

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
      return Result.fail(new Denied({ error: "AccountNotFound", message: "Account not found" }))
    }
    const standing = (isOwner: boolean, again: Caller) =>
      Result.map(checkStanding(account, authority, isOwner), () => again)
    if (caller.kind === "service") return standing(false, caller)
    if (caller.kind === "session") {
      if (sessions.find(caller.session) === undefined) {
        return Result.fail(new Denied({ error: "ExpiredToken", message: revoked }))
      }
      const level = levelIn(account, caller.level)
      return standing(isOwners(caller.level), { ...caller, level })
    }
    if (caller.kind !== "oauth") return Result.succeed(caller)
    if (caller.clientId !== undefined) {
      return apps.find(caller.session) === undefined
        ? Result.fail(new OAuthDenied({ error: "invalid_token", message: revoked }))
        : standing(false, caller)
    }
    const isThere = sessions.find(caller.session) !== undefined || ownTokens.has(caller.session)
    return isThere
      ? standing(false, caller)
      : Result.fail(new Denied({ error: "InvalidToken", message: revoked }))
  }
