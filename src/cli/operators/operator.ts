import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { roles } from "../../core/operators/roles.ts"
import { Did, Handle, Words } from "../answers.ts"
import { wholeHandle } from "../handles.ts"
import { moment, report, table } from "../output.ts"
import { administrator } from "../administrator.ts"
import { procedure, query } from "../xrpc.ts"

const account = Argument.String("account").pipe(
  Argument.withDescription("The account's handle or DID")
)

const add = Command.make(
  "add",
  {
    account,
    role: Flag.Literals("role", roles).pipe(
      Flag.withDescription("admin does everything, moderator moderates, inviter creates invites")
    )
  },
  Effect.fnUntraced(function* ({ account, role }) {
    const admin = yield* administrator
    const input = { account: yield* wholeHandle(admin.server, account), role }
    const Added = Schema.Struct({ did: Did, handle: Handle })
    const made = yield* procedure(admin, "admin/operators", Added, input)
    yield* report({ ...made, role }, () => `${made.handle} (${made.did}) is now ${role}`)
  })
).pipe(
  Command.withDescription(
    "Give an account a role, in place of any it has. The account needs an authenticator"
  ),
  Command.withExamples([
    { command: "nacre operator add alice --role moderator", description: "Alice moderates" }
  ])
)

const Operators = Schema.Struct({
  operators: Schema.Array(
    Schema.Struct({
      did: Did,
      handle: Schema.NullOr(Handle),
      role: Schema.Literals(roles),
      addedAt: Schema.Finite,
      addedBy: Words
    })
  )
})

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const { operators } = yield* query(yield* administrator, "admin/operators", Operators)
    yield* report({ operators }, () =>
      table(
        ["ROLE", "HANDLE", "DID", "SINCE", "BY"],
        operators.map(({ addedAt, addedBy, did, handle, role }) => [
          role,
          handle ?? "",
          did,
          moment(addedAt),
          addedBy
        ]),
        "No operators yet. Add one: nacre operator add <account> --role admin"
      )
    )
  })
).pipe(Command.withDescription("List the operators and their roles"))

const remove = Command.make(
  "remove",
  { account },
  Effect.fnUntraced(function* ({ account }) {
    const admin = yield* administrator
    const input = { account: yield* wholeHandle(admin.server, account) }
    const Removed = Schema.Struct({ did: Did })
    const { did } = yield* procedure(admin, "admin/operators/remove", Removed, input)
    yield* report({ did }, () => `${did} is no longer an operator`)
  })
).pipe(Command.withDescription("Take an account's role. The last admin keeps it"))

/** `nacre operator` */
export const operator = Command.make("operator").pipe(
  Command.withDescription("Add, list and remove the accounts that operate the server"),
  Command.withSubcommands([add, list, remove])
)
