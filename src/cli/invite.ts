import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../scripts/project.ts"
import { inviteCode } from "../core/identity/calledName.ts"
import { Cursor, Opaque, Words } from "./answers.ts"
import { Failed } from "./failure.ts"
import { note, report, table } from "./output.ts"
import { administrator } from "./administrator.ts"
import { procedure, query, type Remote } from "./xrpc.ts"

const count = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.withDefault(1))

const create = Command.make(
  "create",
  {
    uses: count("uses", "How many people can use each code"),
    codes: count("codes", "How many codes to create"),
    for: Flag.String("for").pipe(
      Flag.withMetavar("DID"),
      Flag.withDescription("The account that may share the codes"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ uses, codes, for: account }) {
    const admin = yield* administrator
    const forAccounts = account._tag === "Some" ? { forAccounts: [account.value] } : {}
    const made = yield* procedure(
      admin,
      "com.atproto.server.createInviteCodes",
      Schema.Struct({
        codes: Schema.Array(Schema.Struct({ codes: Schema.Array(Opaque) }))
      }),
      { codeCount: codes, useCount: uses, ...forAccounts }
    )
    const all = made.codes.flatMap((one) => one.codes)
    yield* report({ server: admin.server, uses, codes: all }, () => all.join("\n"))
    const [code = ""] = all
    yield* note(
      `Share this link to invite someone:\n` +
        `  ${admin.server}/account/sign-up?invite=${code}\n` +
        `The code also works in apps that let people choose ${admin.server} as their server, and here:\n` +
        `  ${nacre} account create <name> --email <address> --invite ${code} --server ${admin.server}`
    )
  })
).pipe(
  Command.withDescription("Create invite codes"),
  Command.withExamples([
    { command: "nacre invite create", description: "One code for one person" },
    { command: "nacre invite create --uses 5", description: "One code for a family of five" }
  ])
)

const Page = Schema.Struct({
  cursor: Schema.optionalKey(Cursor),
  codes: Schema.Array(
    Schema.Struct({
      code: Opaque,
      available: Schema.Int,
      disabled: Schema.Boolean,
      forAccount: Words,
      createdAt: Words,
      uses: Schema.Array(Schema.Struct({ usedBy: Words, usedAt: Words }))
    })
  )
})

/** Every invite code of a server. */
const codesAt = Effect.fnUntraced(function* (admin: Remote) {
  const codes: Array<(typeof Page.Type)["codes"][number]> = []
  let cursor: string | undefined
  do {
    const page: typeof Page.Type = yield* query(admin, "com.atproto.admin.getInviteCodes", Page, {
      limit: 100,
      cursor
    })
    codes.push(...page.codes)
    cursor = page.cursor
  } while (cursor !== undefined)
  return codes
})

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const codes = yield* codesAt(yield* administrator)
    yield* report({ codes }, () =>
      table(
        ["CODE", "USED", "FOR", "CREATED", ""],
        codes.map((one) => [
          one.code,
          `${one.uses.length} of ${one.available}`,
          one.forAccount,
          one.createdAt.slice(0, 10),
          one.disabled ? "disabled" : ""
        ]),
        `No invite codes yet. Create one: ${nacre} invite create`
      )
    )
  })
).pipe(Command.withDescription("List invite codes and who used them"))

const disable = Command.make(
  "disable",
  {
    codes: Argument.String("code").pipe(
      Argument.withDescription("The codes to disable"),
      Argument.variadic({ min: 1 })
    )
  },
  Effect.fnUntraced(function* ({ codes: typed }) {
    const codes = typed.map(inviteCode)
    const admin = yield* administrator
    const known = (yield* codesAt(admin)).map(({ code }) => code)
    const unknown = codes.filter((code) => !known.includes(code))
    if (unknown.length > 0) {
      return yield* new Failed({
        message: `Unknown invite code ${unknown.join(", ")}. No code was disabled`,
        next: `List the codes: ${nacre} invite list`
      })
    }
    yield* procedure(admin, "com.atproto.admin.disableInviteCodes", Schema.Unknown, { codes })
    yield* report({ disabled: codes }, () => `Disabled: ${codes.join(", ")}`)
  })
).pipe(Command.withDescription("Disable invite codes"))

/** `nacre invite` */
export const invite = Command.make("invite").pipe(
  Command.withDescription("Create, list and disable invite codes"),
  Command.withSubcommands([create, list, disable])
)
