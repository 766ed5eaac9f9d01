import * as Effect from "effect/Effect"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { Denied } from "../../services/sessions/Auth.ts"
import type { Authority, Caller } from "../../services/sessions/Authority.ts"

/** The account, if `repo` names it; a session writes to no other repo than its own. */
export const ownAccount = Effect.fnUntraced(function* (repo: string) {
  const accounts = yield* AccountStore
  const account = yield* accounts.get
  if (repo === account.did || repo.toLowerCase() === account.handle) return account
  return yield* new Denied({
    error: "AuthenticationRequired",
    message: "The session is not of the repo that was named"
  })
})

/** The authority of the main password's sessions alone. */
export const owner = { kind: "session", level: "full", oauth: "no" } as const satisfies Authority

/** Who asks for a service token. */
export const tokenHolder = (caller: Caller) =>
  caller.kind === "oauth"
    ? Effect.succeed({ did: caller.did, holder: "app" } as const)
    : Effect.map(only(caller, "session"), ({ did, level }) => ({ did, holder: level }))

/** The caller as the kind that the method's authority lets through; any other is a defect. */
export const only = <K extends Caller["kind"]>(
  caller: Caller,
  kind: K
): Effect.Effect<Extract<Caller, { readonly kind: K }>> =>
  caller.kind === kind
    ? Effect.succeed(caller as Extract<Caller, { readonly kind: K }>)
    : Effect.die(new Error(`the caller is not of the kind ${kind}`))
