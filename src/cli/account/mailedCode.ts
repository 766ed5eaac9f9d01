import * as Effect from "effect/Effect"
import { nacre } from "../../../scripts/project.ts"
import { variable } from "../flags.ts"
import { note } from "../output.ts"
import { ask, canAsk } from "../prompts.ts"
import { Failed } from "../failure.ts"
import { knownAdministrator } from "../administrator.ts"
import { type Session } from "../session.ts"
import { readiness } from "../readiness.ts"
import type { Calling } from "../xrpc.ts"
import { waitingCodes } from "./codes.ts"

/** A code to request: its account, purpose, and request. */
interface Asking {
  /** The owner's session at the server that creates the code. */
  readonly of: Session
  readonly purpose: "delete_account" | "plc_operation"
  readonly request: Calling<unknown>
}

/**
 * The code and who was shown it, if the server sends no mail: the administrator if the password is
 * known, else the owner if the sign-in is recent.
 */
const shownCode = Effect.fnUntraced(function* ({ of, purpose }: Asking) {
  const admin = yield* knownAdministrator(of.server)
  const { codes } = yield* waitingCodes(admin ?? of, of.did)
  const code = codes.find((one) => one.purpose === purpose)?.code
  return code === undefined
    ? undefined
    : { code, to: admin === undefined ? "its owner" : "its administrator" }
})

/** How a person gets the code, in words. */
const wayTo = ({ of, purpose }: Asking, sendsMail: boolean | undefined): string => {
  if (sendsMail === false) {
    const page = purpose === "plc_operation" ? "move" : "delete"
    return (
      `${of.server} doesn't send email. See the code at ${of.server}/account/${page}, or run this within 15 minutes:\n` +
      `  ${nacre} account codes ${of.handle} --owner --server ${of.server}`
    )
  }
  return sendsMail === true
    ? `${of.server} has emailed you a code.`
    : `${of.server} has created a code. Check your inbox. If the server doesn't send email, ask its administrator.`
}

/** A code that a server mails on request; NACRE_MAILED_CODE holds one that has arrived. */
export const mailedCode = Effect.fnUntraced(function* (asking: Asking) {
  const given = yield* variable("NACRE_MAILED_CODE")
  if (given !== undefined) return given
  const { server } = asking.of
  const sendsMail = (yield* Effect.orElseSucceed(readiness(server), () => undefined))?.sendsMail
  yield* asking.request
  if (sendsMail === false) {
    const shown = yield* Effect.orElseSucceed(shownCode(asking), () => undefined)
    if (shown !== undefined) {
      yield* note(`${server} doesn't send email, so it showed the code to ${shown.to}.`)
      return shown.code
    }
  }
  yield* note(wayTo(asking, sendsMail))
  if (yield* canAsk) {
    return yield* ask({ message: "Code", otherwise: "NACRE_MAILED_CODE=…" })
  }
  return yield* new Failed({
    message: "This needs the code, and there is no terminal to enter it in",
    next: "Run the command again with NACRE_MAILED_CODE=<code> within 15 minutes."
  })
})
