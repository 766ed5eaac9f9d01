import * as Effect from "effect/Effect"
import { askAccountDeletion, keepAccount, suspendAccount } from "../../accounts/adminCare.ts"
import { noteAct } from "../../CurrentRequest.ts"
import { closedTo } from "./accountCare.ts"
import { type ConsoleAction, done } from "./frame.ts"
import { rejected, toOthers } from "./toOthers.ts"

/** Suspends an account. */
export const suspend: ConsoleAction = {
  role: "moderator",
  page: "accounts",
  run: toOthers(
    Effect.fn("console.suspend")(function* (operating, { did }, form) {
      yield* noteAct({ act: "/admin/accounts/suspend" })
      const closed = yield* closedTo(operating, did)
      if (closed !== undefined) {
        return yield* rejected(operating, did, { wrong: { text: closed }, typed: {} })
      }
      yield* suspendAccount(did, (form.get("why") ?? "").trim())
      return done("account", "suspended", { did })
    })
  )
}

/** Undoes a deletion. */
export const keep: ConsoleAction = {
  role: "admin",
  page: "accounts",
  run: toOthers(
    Effect.fn("console.keep")(function* (_, { did }) {
      yield* noteAct({ act: "/admin/accounts/keep" })
      yield* keepAccount(did)
      return done("account", "kept", { did })
    })
  )
}

/** Asks for a deletion, whose handle was typed. */
export const askDeletion = Effect.fn("console.askDeletion")(function* (did: string) {
  yield* noteAct({ act: "/admin/accounts/delete" })
  const { deleteAfter } = yield* askAccountDeletion(did)
  return deleteAfter === undefined
    ? done("accounts", "deleted")
    : done("account", "deletion-asked", { did })
})
