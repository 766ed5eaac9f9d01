import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { didOf } from "../account/people.ts"
import { Failed } from "../failure.ts"
import { shownPdsOf } from "../identity/lookup.ts"
import { originOf, theAccount, theServer } from "../place.ts"
import { moveFlags } from "./moveFlags.ts"
import { moveAccount } from "./moving.ts"
import { documentOf } from "./network.ts"
import { notesFile, readNotes } from "./notes.ts"

/** The server that the account comes from: named, remembered, or the one that the DID leads to. */
const originServer = Effect.fnUntraced(function* (
  { did, to }: { readonly did: string; readonly to: string },
  { named, state }: { readonly named: string | undefined; readonly state: Option.Option<string> }
) {
  if (named !== undefined) return named
  const notes = yield* readNotes(notesFile(did, state))
  if (notes !== undefined) {
    if (notes.to === to && notes.did === did) return notes.from
    return yield* new Failed({
      message: `A move of ${notes.did} to ${notes.to} has begun and is remembered`,
      next: `Go on with it, or name another file with --state`
    })
  }
  const pds = shownPdsOf(yield* documentOf(did))
  const origin = pds === undefined ? undefined : originOf(pds)
  if (origin !== undefined && origin !== to) return origin
  return yield* new Failed({
    message: `${did} leads to ${pds ?? "no server"} already`,
    next: "Where it comes from has to be named: --from https://old.example.com"
  })
})

/** `nacre migrate`: an account moves in. */
export const migrate = Command.make(
  "migrate",
  {
    from: Flag.String("from").pipe(
      Flag.withMetavar("URL"),
      Flag.withDescription("The server that the account comes from; else the one its DID leads to"),
      Flag.optional
    ),
    ...moveFlags
  },
  Effect.fnUntraced(function* ({ from: given, ...wishes }) {
    const to = yield* theServer
    const name = yield* theAccount
    const named = Option.isSome(given) ? originOf(given.value) : undefined
    const did = yield* didOf(named ?? to, name)
    const from = yield* originServer({ did, to }, { named, state: wishes.state })
    yield* moveAccount({ did, from, to }, wishes)
  })
).pipe(
  Command.withDescription(
    "Move an account of yours from another server to --server: records, blobs, preferences, and the DID.\n\n" +
      "Nothing is taken from the old server before everything is here; it is deactivated there at the end. " +
      "Cut off at any point, the same command goes on. NACRE_PASSWORD is the password at the old server, " +
      "NACRE_NEW_PASSWORD the one here, NACRE_MAILED_CODE the code that the old server mails for the DID."
  ),
  Command.withShortDescription("Move an account of yours from another server to this one"),
  Command.withExamples([
    {
      command:
        "nacre migrate --account alice.bsky.social --server https://pds.example.com --dry-run",
      description: "What would be done"
    },
    {
      command:
        "nacre migrate --account alice.bsky.social --server https://pds.example.com --invite … --recovery-key alice.key",
      description: "Moves, with a recovery key of your own"
    }
  ])
)
