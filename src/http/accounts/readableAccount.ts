import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import {
  type Account,
  AccountStore,
  type RepoNotFound
} from "../../services/accounts/AccountStore.ts"
import { holds } from "../../core/oauth/scopes.ts"
import type { TokenHolder } from "../../core/sessions/methods.ts"
import { Denied } from "../../services/sessions/Auth.ts"
import type { Authority, Caller } from "../../services/sessions/Authority.ts"

/** This object's account if `repo` names it; a session may only write to its own repo. */
export const ownAccount = (
  repo: string,
  services: Context.Context<AccountStore>
): Result.Result<Account, RepoNotFound | Denied> =>
  Result.flatMap(Context.get(services, AccountStore).find(), (account) =>
    repo === account.did || repo.toLowerCase() === account.handle
      ? Result.succeed(account)
      : Result.fail(
          new Denied({
            error: "AuthenticationRequired",
            message: "The session is not of the repo that was named"
          })
        )
  )

/** The authority of sessions with the main password only. */
export const owner = { kind: "session", level: "full", oauth: "no" } as const satisfies Authority

const appHolder = (granted: string): TokenHolder =>
  holds(granted, { resource: "identity", attr: "*" }) ? "mover" : "app"

/** The session or app that requests a service auth token; undefined for any other caller. */
export const tokenHolder = (
  caller: Caller
): { readonly did: string; readonly holder: TokenHolder } | undefined => {
  if (caller.kind === "session") return { did: caller.did, holder: caller.level }
  if (caller.kind === "oauth") return { did: caller.did, holder: appHolder(caller.granted) }
  return undefined
}

/** The caller, narrowed to the kind that the method's authority allows; any other is a defect. */
export const only = <K extends Caller["kind"]>(
  caller: Caller,
  kind: K
): Effect.Effect<Extract<Caller, { readonly kind: K }>> =>
  caller.kind === kind
    ? Effect.succeed(caller as Extract<Caller, { readonly kind: K }>)
    : Effect.die(new Error(`the caller is not of the kind ${kind}`))
