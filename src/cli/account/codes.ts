import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { Did, Opaque, Words } from "../answers.ts"
import { wholeHandle } from "../handles.ts"
import { note, report, table } from "../output.ts"
import { theServer } from "../place.ts"
import { administrator } from "../administrator.ts"
import { type Session, signInAs } from "../session.ts"
import { query, type Remote } from "../xrpc.ts"
import { readiness } from "../readiness.ts"
import { accountArgument, meant, ownerFlag } from "./people.ts"

const Waiting = Schema.Struct({
  did: Did,
  codes: Schema.Array(Schema.Struct({ purpose: Words, code: Opaque, expiresAt: Schema.Finite }))
})

/**
 * An account's unused codes if its server sends no mail: all of them for the administrator, all but
 * the one for a forgotten password for the owner.
 */
export const waitingCodes = (remote: Remote, account: string) =>
  query(remote, isSession(remote) ? "manage/codes" : "admin/codes", Waiting, { account })

const isSession = (remote: Remote): remote is Session => "did" in remote

/** The purpose of a code in words. */
const purposes: Readonly<Record<string, string>> = {
  confirm_email: "confirm the email address",
  update_email: "change the email address",
  reset_password: "reset the password",
  delete_account: "delete the account",
  auth_factor: "sign in with the password",
  plc_operation: "change the identity (move, recovery key)"
}

/** `nacre account codes` */
export const codes = Command.make(
  "codes",
  { account: accountArgument, owner: ownerFlag },
  Effect.fnUntraced(function* ({ account, owner }) {
    const server = yield* theServer
    const name = yield* wholeHandle(server, yield* meant(account))
    const by: Remote = owner
      ? yield* signInAs(server, name, { isRecent: true })
      : yield* administrator
    const waiting = yield* waitingCodes(by, name)
    const shown = waiting.codes.map(({ purpose, code, expiresAt }) => ({
      purpose,
      code,
      expiresAt: new Date(expiresAt).toISOString()
    }))
    yield* report({ did: waiting.did, codes: shown }, () =>
      table(
        ["PURPOSE", "CODE", "EXPIRES"],
        shown.map((one) => [purposes[one.purpose] ?? one.purpose, one.code, one.expiresAt]),
        `${name} has no codes right now.`
      )
    )
    if (shown.length > 0) {
      yield* note(
        owner
          ? "Never share a code. We will never ask you for one."
          : `Give a code only to the owner of ${name}, and only if they asked for it.`
      )
    } else if ((yield* readiness(server))?.sendsMail === true) {
      yield* note("This server emails codes to the account's owner, so they aren't shown here.")
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Show an account's verification codes, if its server doesn't send email: as the administrator, or with --owner as the account's owner.\n\n" +
      "Codes protect actions that can't be undone. As the administrator, make sure you know who is asking for one."
  ),
  Command.withShortDescription(
    "Show an account's verification codes, if the server doesn't send email"
  ),
  Command.withExamples([
    { command: "nacre account codes alice.example.com", description: "All codes of an account" },
    { command: "nacre account codes --owner", description: "Your own codes" }
  ])
)
