import * as Effect from "effect/Effect"
import { type Account, AccountTakenDown } from "./AccountStore.ts"
import { Takedowns } from "./Takedowns.ts"

/** Why an account is suspended, as its owner reads it; undefined in any other standing. */
export const suspensionOf = Effect.fnUntraced(function* ({ takedown }: Account) {
  const takedowns = yield* Takedowns
  return takedown === "suspended" ? takedowns.account() : undefined
})

/** The failure for an account that is taken down or suspended, with the reason of a suspension. */
export const downFailure = Effect.fnUntraced(function* (account: Account) {
  const reason = yield* suspensionOf(account)
  return new AccountTakenDown(reason === undefined ? {} : { reason })
})
