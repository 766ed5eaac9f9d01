import * as Effect from "effect/Effect"
import { parseQuota } from "../../../core/blobs/byteSize.ts"
import { entryOf } from "../../accounts/adminAccounts.ts"
import {
  askAccountDeletion,
  keepAccount,
  setQuota,
  suspendAccount
} from "../../accounts/adminCare.ts"
import { noteAct } from "../../CurrentRequest.ts"
import { account as text } from "../text/consolePeople.ts"
import { closedTo } from "./accountCare.ts"
import { type ConsoleAction, done } from "./frame.ts"
import { didIn, rejected, toOthers } from "./toOthers.ts"

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

/** Changes an account's storage limit. */
export const changeQuota: ConsoleAction = {
  role: "admin",
  page: "accounts",
  run: Effect.fn("console.changeQuota")(function* (operating, form) {
    yield* noteAct({ act: "/admin/accounts/quota" })
    const typed = form.get("quota") ?? ""
    const bytes = parseQuota(typed)
    const { did } = yield* entryOf(didIn(form))
    if (bytes === undefined) {
      const wrong = { text: text.wrongQuota, field: "quota" }
      return yield* rejected(operating, did, { wrong, typed: { quota: typed } })
    }
    yield* setQuota(did, bytes)
    return done("account", "quota", { did })
  })
}

/** Asks for a deletion, whose handle was typed. */
export const askDeletion = Effect.fn("console.askDeletion")(function* (did: string) {
  yield* noteAct({ act: "/admin/accounts/delete" })
  const { deleteAfter } = yield* askAccountDeletion(did)
  return deleteAfter === undefined
    ? done("accounts", "deleted")
    : done("account", "deletion-asked", { did })
})
