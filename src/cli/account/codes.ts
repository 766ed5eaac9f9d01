import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { Did, Opaque, Words } from "../answers.ts"
import { wholeHandle } from "../handles.ts"
import { note, report, table } from "../output.ts"
import { theServer } from "../place.ts"
import { administrator, type Session, signInAs } from "../session.ts"
import { query, type Remote } from "../xrpc.ts"
import { readiness } from "../readiness.ts"
import { accountArgument, meant, ownerFlag } from "./people.ts"

const Waiting = Schema.Struct({
  did: Did,
  codes: Schema.Array(Schema.Struct({ purpose: Words, code: Opaque, expiresAt: Schema.Finite }))
})

/** The codes of an account that wait to be used, where its server sends no mail: all for the administrator, all but one for a forgotten password for its owner. */
export const waitingCodes = (remote: Remote, account: string) =>
  query(remote, isSession(remote) ? "manage/codes" : "admin/codes", Waiting, { account })

const isSession = (remote: Remote): remote is Session => "did" in remote

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
  { account: accountArgument, owner: ownerFlag },
  Effect.fnUntraced(function* ({ account, owner }) {
    const server = yield* theServer
    const name = yield* wholeHandle(server, yield* meant(account))
    const by: Remote = owner ? yield* signInAs(server, name) : yield* administrator
    const waiting = yield* waitingCodes(by, name)
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
      yield* note(
        owner
          ? "A code is for you alone: give it to nobody who asks you for it."
          : `Give a code to nobody but the person behind ${name}, who asked for it.`
      )
    } else if ((yield* readiness(server))?.sendsMail === true) {
      yield* note("This server mails its codes: only who reads the mail sees them.")
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Show the codes of an account that nobody has mailed, where its server sends no mail: as the administrator, or with --owner as the account's owner.\n\n" +
      "A code is a second question before what cannot be undone. As the administrator, be sure who asks you for one."
  ),
  Command.withShortDescription("Show the codes of an account, where the server sends no mail"),
  Command.withExamples([
    { command: "nacre account codes alice.example.com", description: "All that wait to be used" },
    { command: "nacre account codes --owner", description: "Your own" }
  ])
)
