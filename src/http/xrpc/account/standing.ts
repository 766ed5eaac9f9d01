import * as Effect from "effect/Effect"
import { AccountStore, inactiveStatus, RepoInactive } from "../../../services/AccountStore.ts"
import { Denied } from "../../../services/Auth.ts"
import type { Caller } from "../../../services/Authority.ts"

/** The account, if this caller may read it: an inactive one is shown to its owner and the admin alone. */
export const readableAccount = Effect.fnUntraced(function* (caller: Caller) {
  const accounts = yield* AccountStore
  const account = yield* accounts.get
  const status = inactiveStatus(account)
  if (status === undefined || caller.kind !== "anonymous") return account
  return yield* new RepoInactive({ did: account.did, status })
})

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
