import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { wholeHandle } from "../handles.ts"
import { note, report, table } from "../output.ts"
import { administrator } from "../session.ts"
import { query, type Remote } from "../xrpc.ts"
import { readiness } from "../readiness.ts"
import { accountArgument, meant } from "./people.ts"

const Waiting = Schema.Struct({
  did: Schema.String,
  codes: Schema.Array(
    Schema.Struct({ purpose: Schema.String, code: Schema.String, expiresAt: Schema.Finite })
  )
})

/** The codes of an account that wait to be used, where its server sends no mail; for the administrator alone. */
export const waitingCodes = (admin: Remote, account: string) =>
  query(admin, "admin/codes", Waiting, { account })

/** What a code is for, as people read it. */
const purposes: Readonly<Record<string, string>> = {
  confirm_email: "confirm the e-mail address",
  update_email: "change the e-mail address",
  reset_password: "choose a new password",
  delete_account: "delete the account",
  plc_operation: "change the identity (a move, a recovery key)"
}

/** `nacre account codes` */
export const codes = Command.make(
  "codes",
  { account: accountArgument },
  Effect.fnUntraced(function* ({ account }) {
    const admin = yield* administrator
    const name = yield* wholeHandle(admin.server, yield* meant(account))
    const waiting = yield* waitingCodes(admin, name)
    const shown = waiting.codes.map(({ purpose, code, expiresAt }) => ({
      purpose,
      code,
      expiresAt: new Date(expiresAt).toISOString()
    }))
    yield* report({ did: waiting.did, codes: shown }, () =>
      table(
        ["FOR", "CODE", "GOOD UNTIL"],
        shown.map((one) => [purposes[one.purpose] ?? one.purpose, one.code, one.expiresAt]),
        `No code of ${name} waits to be used.`
      )
    )
    if (shown.length > 0) {
      yield* note(`Give a code to nobody but the person behind ${name}, who asked for it.`)
    } else if ((yield* readiness(admin.server))?.sendsMail === true) {
      yield* note("This server mails its codes: only who reads the mail sees them.")
    }
  })
).pipe(
  Command.withDescription(
    "Show the codes of an account that nobody has mailed, as the administrator of a server that sends no mail.\n\n" +
      "A code is what somebody who has only the password or a session does not have, so no owner's session shows it. " +
      "Be sure who asks you for one."
  ),
  Command.withShortDescription("Show the codes of an account, where the server sends no mail"),
  Command.withExamples([
    { command: "nacre account codes alice.example.com", description: "All that wait to be used" }
  ])
)
