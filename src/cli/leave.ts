import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { accountArgument, didOf, meant } from "./account/people.ts"
import { Failed } from "./failure.ts"
import { arrivalGuide } from "./migrate/guide.ts"
import { moveFlags } from "./migrate/moveFlags.ts"
import { moveAccount } from "./migrate/moving.ts"
import { originOf, theServer } from "./place.ts"

/** `nacre leave`: moves an account to another server. */
export const leave = Command.make(
  "leave",
  {
    account: accountArgument,
    to: Flag.String("to").pipe(
      Flag.withMetavar("URL"),
      Flag.withDescription("The server to move to; it can run any PDS software")
    ),
    token: Flag.Boolean("token").pipe(
      Flag.withDescription(
        "Only print the token for creating the account on the new server, and the steps that follow"
      ),
      Flag.withDefault(false)
    ),
    ...moveFlags
  },
  Effect.fnUntraced(function* ({ account, to: given, token, ...wishes }) {
    const from = yield* theServer
    const to = originOf(given)
    if (to === undefined) {
      return yield* new Failed({
        message: `${given} isn't a server address`,
        next: "Write it like https://pds.example.com"
      })
    }
    const did = yield* didOf(from, yield* meant(account))
    if (token) return yield* arrivalGuide({ did, from, to })
    yield* moveAccount({ did, from, to }, wishes)
  })
).pipe(
  Command.withDescription(
    "Move an account from --server to another server: records, blobs, preferences and identity.\n\n" +
      "Resumable: run it again to continue. NACRE_PASSWORD is the password here, NACRE_NEW_PASSWORD the one " +
      "on the new server, NACRE_MAILED_CODE the code this server emails you. If it doesn't send email, its administrator can read the code: nacre account codes."
  ),
  Command.withShortDescription("Move an account from this server to another one"),
  Command.withExamples([
    {
      command: "nacre leave alice.example.com --to https://pds.example.org",
      description: "Moves the account"
    },
    {
      command: "nacre leave --to https://pds.example.org --token",
      description: "Prints only the token, for other tools"
    }
  ])
)
