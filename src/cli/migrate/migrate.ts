import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { accountArgument, didOf, meant } from "../account/people.ts"
import { Failed } from "../failure.ts"
import { shownPdsOf } from "../identity/lookup.ts"
import { originOf, theServer } from "../place.ts"
import { moveFlags } from "./moveFlags.ts"
import { moveAccount } from "./moving.ts"
import { documentOf } from "./network.ts"
import { notesFile, readNotes } from "./notes.ts"

/** The old server: the given one, the one in the notes, or the one in the DID document. */
const originServer = Effect.fnUntraced(function* (
  { did, to }: { readonly did: string; readonly to: string },
  { named, state }: { readonly named: string | undefined; readonly state: Option.Option<string> }
) {
  if (named !== undefined) return named
  const notes = yield* readNotes(notesFile(did, state))
  if (notes !== undefined) {
    if (notes.to === to && notes.did === did) return notes.from
    return yield* new Failed({
      message: `A move of ${notes.did} to ${notes.to} is already in progress`,
      next: `Finish that move first, or choose another file with --state.`
    })
  }
  const pds = shownPdsOf(yield* documentOf(did))
  const origin = pds === undefined ? undefined : originOf(pds)
  if (origin !== undefined && origin !== to) return origin
  return yield* new Failed({
    message: `${did} already points to ${pds ?? "no server"}`,
    next: "Name the old server: --from https://old.example.com"
  })
})

/** `nacre migrate`: moves an account to this server. */
export const migrate = Command.make(
  "migrate",
  {
    account: accountArgument,
    from: Flag.String("from").pipe(
      Flag.withMetavar("URL"),
      Flag.withDescription("The old server; default: the one the account's DID points to"),
      Flag.optional
    ),
    ...moveFlags
  },
  Effect.fnUntraced(function* ({ account, from: given, ...wishes }) {
    const to = yield* theServer
    const name = yield* meant(account)
    const named = Option.isSome(given) ? originOf(given.value) : undefined
    const did = yield* didOf(named ?? to, name)
    const from = yield* originServer({ did, to }, { named, state: wishes.state })
    yield* moveAccount({ did, from, to }, wishes)
  })
).pipe(
  Command.withDescription(
    "Move your account from another server to --server: records, blobs, preferences and identity.\n\n" +
      "The account stays active on the old server until everything is here, and is deactivated there at the end. " +
      "Resumable: run it again to continue. NACRE_PASSWORD is the password on the old server, " +
      "NACRE_NEW_PASSWORD the one here, NACRE_MAILED_CODE the code the old server emails you."
  ),
  Command.withShortDescription("Move your account from another server to this one"),
  Command.withExamples([
    {
      command: "nacre migrate alice.bsky.social --server https://pds.example.com --dry-run",
      description: "Shows the plan and changes nothing"
    },
    {
      command:
        "nacre migrate alice.bsky.social --server https://pds.example.com --invite … --recovery-key alice.key",
      description: "Moves the account and adds your recovery key"
    }
  ])
)
