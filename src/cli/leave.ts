import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { didOf } from "./account/people.ts"
import { Failed } from "./failure.ts"
import { arrivalGuide } from "./migrate/guide.ts"
import { moveFlags } from "./migrate/moveFlags.ts"
import { moveAccount } from "./migrate/moving.ts"
import { originOf, theAccount, theServer } from "./place.ts"

/** `nacre leave`: an account moves out. */
export const leave = Command.make(
  "leave",
  {
    to: Flag.String("to").pipe(
      Flag.withMetavar("URL"),
      Flag.withDescription("The server that the account moves to, of whatever kind")
    ),
    token: Flag.Boolean("token").pipe(
      Flag.withDescription(
        "Only print the token by which the new server makes the account, and what to do with it"
      ),
      Flag.withDefault(false)
    ),
    ...moveFlags
  },
  Effect.fnUntraced(function* ({ to: given, token, ...wishes }) {
    const from = yield* theServer
    const to = originOf(given)
    if (to === undefined) {
      return yield* new Failed({
        message: `${given} is not the address of a server`,
        next: "Write it as https://pds.example.com"
      })
    }
    const did = yield* didOf(from, yield* theAccount)
    if (token) return yield* arrivalGuide({ did, from, to })
    yield* moveAccount({ did, from, to }, wishes)
  })
).pipe(
  Command.withDescription(
    "Move an account from --server to any other: records, blobs, preferences, and the DID.\n\n" +
      "Cut off at any point, the same command goes on. NACRE_PASSWORD is the password here, NACRE_NEW_PASSWORD " +
      "the one at the new server, NACRE_MAILED_CODE the code that this server mails for the DID (one that sends no mail shows it to its administrator: nacre account codes)."
  ),
  Command.withShortDescription("Move an account from this server to any other"),
  Command.withExamples([
    {
      command: "nacre leave --to https://pds.example.org --account alice.example.com",
      description: "Moves"
    },
    {
      command: "nacre leave --to https://pds.example.org --token",
      description: "For other tools: the token alone"
    }
  ])
)
