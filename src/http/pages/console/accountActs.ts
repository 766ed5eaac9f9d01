import * as Effect from "effect/Effect"
import { calledName } from "../../../core/identity/calledName.ts"
import { Accounts } from "../../../services/accounts/Accounts.ts"
import { Mailer } from "../../../services/mail/Mailer.ts"
import { noteAct } from "../../CurrentRequest.ts"
import { resetFactor } from "../../factors/adminFactors.ts"
import { frame } from "../text/console.ts"
import { account as text } from "../text/consolePeople.ts"
import { askDeletion } from "./careActs.ts"
import { type ConsoleAction, done } from "./frame.ts"
import type { ConsoleNotice } from "./operating.ts"
import { perform } from "./perform.ts"
import { didIn, rejected, toOthers } from "./toOthers.ts"

/** An XRPC method that takes an account. */
const calling = (nsid: string, notice: ConsoleNotice): ConsoleAction => ({
  role: "moderator",
  page: "accounts",
  run: Effect.fnUntraced(function* (operating, form) {
    const did = didIn(form)
    yield* perform(operating, nsid, { input: { account: did } })
    return done("account", notice, { did })
  })
})

/** Stops an account's invites. */
export const stopInvites = calling("com.atproto.admin.disableAccountInvites", "invites-off")

/** Lets an account invite again. */
export const allowInvites = calling("com.atproto.admin.enableAccountInvites", "invites-on")

/** Mails an owner. */
export const writeOwner: ConsoleAction = {
  role: "moderator",
  page: "accounts",
  run: Effect.fn("console.write")(function* (operating, form) {
    const did = didIn(form)
    const [subject, content] = [form.get("subject") ?? "", form.get("message") ?? ""]
    const { sent } = yield* perform<{ readonly sent: boolean }>(
      operating,
      "com.atproto.admin.sendEmail",
      { input: { recipientDid: did, senderDid: operating.view.did, subject, content } }
    )
    return sent
      ? done("account", "mailed", { did })
      : yield* rejected(operating, did, { wrong: { text: frame.noMail }, typed: {} })
  })
}

/** Mails a code for a new password. */
export const resetPassword: ConsoleAction = {
  role: "admin",
  page: "accounts",
  run: toOthers(
    Effect.fn("console.resetPassword")(function* (_, { did }) {
      yield* noteAct({ act: "com.atproto.server.requestPasswordReset", subject: did })
      yield* (yield* Accounts).call(did, "requestPasswordReset")
      const { delivers } = yield* Mailer
      return done("account", delivers ? "reset" : "reset-waits", { did })
    })
  )
}

/** Turns an authenticator off, and mails the owner. */
export const resetAuthenticator: ConsoleAction = {
  role: "admin",
  page: "accounts",
  run: toOthers(
    Effect.fn("console.resetFactor")(function* (_, { did }) {
      yield* noteAct({ act: "/admin/factors/reset" })
      yield* resetFactor(did)
      return done("account", "factors-reset", { did })
    })
  )
}

/** Deletes an account whose handle was typed. */
export const deleteAccount: ConsoleAction = {
  role: "admin",
  page: "accounts",
  run: toOthers(
    Effect.fn("console.delete")(function* (operating, { did, handle }, form) {
      const typed = form.get("handle") ?? ""
      if (calledName(typed) !== handle) {
        const wrong = { text: text.wrongHandle, field: "handle" }
        return yield* rejected(operating, did, { wrong, typed: { handle: typed } })
      }
      return yield* askDeletion(did)
    })
  )
}
