import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { yesFlag } from "../account/people.ts"
import { administrator } from "../administrator.ts"
import { Did, Words } from "../answers.ts"
import { wholeHandle } from "../handles.ts"
import { facts, note, report } from "../output.ts"
import { theAccount } from "../place.ts"
import { insist } from "../prompts.ts"
import { procedure, query, type Remote } from "../xrpc.ts"

const Examined = Schema.Struct({
  rev: Words,
  records: Schema.Int,
  nodes: Schema.Int,
  found: Schema.Int,
  problems: Schema.Array(Words),
  dropped: Schema.Array(Words),
  droppedCount: Schema.Int,
  damaged: Schema.Array(Words),
  damagedCount: Schema.Int
})

const Seen = Schema.Struct({ did: Did, examined: Examined })

const Repaired = Schema.Struct({ ...Seen.fields, rev: Schema.optionalKey(Words) })

const path = "admin/repair"

const lines = (words: ReadonlyArray<string>, count: number): string =>
  [
    ...words.map((one) => `  ${one}`),
    ...(count > words.length ? [`  and ${count - words.length} more`] : [])
  ].join("\n")

const tell = Effect.fnUntraced(function* (
  { did, examined }: typeof Seen.Type,
  rev: string | undefined,
  state: string
) {
  const { damagedCount, droppedCount, found, records } = examined
  yield* report({ did, rev, examined }, () =>
    facts([
      ["Account", did],
      ["Records", String(records)],
      ["Problems", found === 0 ? "none" : String(found)],
      ["Entries without a record", droppedCount === 0 ? undefined : String(droppedCount)],
      ["Damaged records", damagedCount === 0 ? undefined : String(damagedCount)],
      ["Repaired", state]
    ])
  )
  if (found > 0) yield* note(lines(examined.problems, found))
})

const examine = (admin: Remote, account: string) => query(admin, path, Seen, { account })

/** `nacre repair`: an account's tree and references, from its records. */
export const repair = Command.make(
  "repair",
  {
    account: Argument.String("account").pipe(
      Argument.withDescription("The account's handle or DID"),
      Argument.optional
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Only say what would change"),
      Flag.withDefault(false)
    ),
    drop: Flag.Boolean("drop-damaged").pipe(
      Flag.withDescription("Remove records whose bytes aren't those that their CID names"),
      Flag.withDefault(false)
    ),
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ account, drop, dryRun, yes }) {
    const admin = yield* administrator
    const named = Option.getOrUndefined(account) ?? (yield* theAccount)
    const name = named.startsWith("did:") ? named : yield* wholeHandle(admin.server, named)
    const seen = yield* examine(admin, name)
    const { found } = seen.examined
    if (dryRun || found === 0) {
      return yield* tell(seen, undefined, found === 0 ? "nothing to do" : "no, this is a dry run")
    }
    yield* note(lines(seen.examined.problems, found))
    yield* insist(`Rebuild the repository of ${name} from its records?`, yes)
    const params = new URLSearchParams({ account: name, ...(drop ? { drop: "true" } : {}) })
    const done = yield* procedure(admin, `${path}?${params}`, Repaired)
    yield* tell(
      done,
      done.rev,
      done.rev === undefined ? "nothing to do" : `yes, at rev ${done.rev}`
    )
    yield* note(`Check the account again: ${nacre} check ${name}`)
  })
).pipe(
  Command.withDescription(
    "Rebuild an account's tree, references and counts from its records, under a new commit that is announced to relays. " +
      "Entries of the tree without a record are named and removed. The account stays in use meanwhile"
  ),
  Command.withShortDescription("Rebuild an account's tree and references from its records")
)
