import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { Cursor, Did, Words } from "../answers.ts"
import { type CallFailed, Failed } from "../failure.ts"
import { wholeHandle } from "../handles.ts"
import { note, report, table } from "../output.ts"
import { despiteDamage, isFailed, longWay } from "../patience.ts"
import { theAccount } from "../place.ts"
import { administrator } from "../administrator.ts"
import { query, type Remote } from "../xrpc.ts"

const Checked = Schema.Struct({
  did: Did,
  records: Schema.Int,
  nodes: Schema.Int,
  blobs: Schema.Int,
  missing: Schema.Int,
  problems: Schema.Array(Words),
  after: Schema.optionalKey(Cursor)
})

type Checked = typeof Checked.Type

type Part = Omit<Checked, "after">

/** The part of a check that the server fails at. */
const unchecked = (did: string, { error, message }: CallFailed): Part => ({
  did,
  records: 0,
  nodes: 0,
  blobs: 0,
  missing: 0,
  problems: [`the server couldn't check it: ${message === "" ? error : message}`]
})

const checkOne = Effect.fnUntraced(function* (admin: Remote, account: string) {
  let whole: Part | undefined
  let after: string | undefined
  do {
    const part: Checked = yield* query(admin, "admin/check", Checked, { account, after }).pipe(
      despiteDamage,
      Effect.catchIf(isFailed, (failure) => Effect.succeed(unchecked(account, failure)))
    )
    const { blobs, problems } = part
    after = part.after
    whole =
      whole === undefined
        ? part
        : { ...whole, blobs: whole.blobs + blobs, problems: [...whole.problems, ...problems] }
  } while (after !== undefined)
  const { did, records, nodes, blobs, missing, problems } = whole
  return { did, records, nodes, blobs, missing, problems }
})

const Repos = Schema.Struct({
  repos: Schema.Array(Schema.Struct({ did: Did })),
  cursor: Schema.optionalKey(Cursor)
})

/** Every account of a server. */
const accountsOf = Effect.fnUntraced(function* (admin: Remote) {
  const dids: Array<string> = []
  let cursor: string | undefined
  do {
    const page: typeof Repos.Type = yield* query(admin, "com.atproto.sync.listRepos", Repos, {
      limit: 1000,
      cursor
    })
    dids.push(...page.repos.map(({ did }) => did))
    cursor = page.cursor
  } while (cursor !== undefined)
  return dids
})

/** `nacre check`: the stored data of an account, or of all. */
export const check = Command.make(
  "check",
  {
    account: Argument.String("account").pipe(
      Argument.withDescription("The account's handle or DID"),
      Argument.optional
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Check every account of the server"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ account, all }) {
    const admin = yield* administrator
    const named = Option.getOrUndefined(account)
    const name = all ? undefined : (named ?? (yield* theAccount))
    const names =
      name === undefined
        ? yield* accountsOf(admin)
        : [name.startsWith("did:") ? name : yield* wholeHandle(admin.server, name)]
    const checked: Array<Effect.Success<ReturnType<typeof checkOne>>> = []
    for (const one of names) {
      checked.push(yield* checkOne(admin, one))
      if (names.length > 1) yield* note(`${checked.length} of ${names.length} accounts checked`)
    }
    yield* report({ accounts: checked }, () =>
      table(
        ["ACCOUNT", "RECORDS", "BLOBS", "NEVER UPLOADED", "PROBLEMS"],
        checked.map(({ did, records, blobs, missing, problems }) => [
          did,
          String(records),
          String(blobs),
          String(missing),
          problems.length === 0 ? "none" : String(problems.length)
        ]),
        "No accounts."
      )
    )
    const found = checked.flatMap(({ did, problems }) => problems.map((one) => `  ${did}: ${one}`))
    if (found.length === 0) return
    return yield* new Failed({
      hasResult: true,
      message: `${found.length} problems:\n${found.join("\n")}`,
      next: `See what a repair would change: ${nacre} repair <account> --dry-run. Lost or changed blobs and records only come back from a backup: ${nacre} restore <account>`
    })
  }, longWay)
).pipe(
  Command.withDescription(
    "Check an account's stored data while it stays in use: signature, tree, records, references and the bytes of its blobs"
  )
)
