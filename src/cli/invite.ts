import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../scripts/project.ts"
import { inviteEnd, inviteRows, inviteState, maxInviteNote } from "../core/accounts/invites.ts"
import { inviteCode } from "../core/identity/calledName.ts"
import { Cursor, Did, Handle, Opaque, Words } from "./answers.ts"
import { Failed } from "./failure.ts"
import { note, report, table } from "./output.ts"
import { administrator } from "./administrator.ts"
import { procedure, query, type Remote } from "./xrpc.ts"

const count = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.withDefault(1))

const Made = Schema.Struct({
  codes: Schema.Array(Opaque),
  note: Schema.optionalKey(Words),
  expiresAt: Schema.optionalKey(Words)
})

/** Creates codes by the protocol's method, which any server has. */
const plainCodes = Effect.fnUntraced(function* (
  admin: Remote,
  {
    uses,
    codes,
    account
  }: { readonly uses: number; readonly codes: number; readonly account: string | undefined }
) {
  const made = yield* procedure(
    admin,
    "com.atproto.server.createInviteCodes",
    Schema.Struct({ codes: Schema.Array(Schema.Struct({ codes: Schema.Array(Opaque) })) }),
    {
      codeCount: codes,
      useCount: uses,
      ...(account === undefined ? {} : { forAccounts: [account] })
    }
  )
  return Made.make({ codes: made.codes.flatMap((one) => one.codes) })
})

const create = Command.make(
  "create",
  {
    uses: count("uses", "How many people can use each code"),
    codes: count("codes", "How many codes to create"),
    for: Flag.String("for").pipe(
      Flag.withMetavar("DID"),
      Flag.withDescription("The account that may share the codes"),
      Flag.optional
    ),
    note: Flag.String("note").pipe(
      Flag.withDescription(
        `Who it is for, in ${maxInviteNote} characters at most; only operators see it`
      ),
      Flag.optional
    ),
    expires: Flag.String("expires").pipe(
      Flag.withMetavar("days or date"),
      Flag.withDescription("The codes' end: 7d, 2030-12-31 (the last day), or a date with a time"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ uses, codes, for: account, note: about, expires }) {
    const now = yield* Clock.currentTimeMillis
    if (Option.isSome(expires) && inviteEnd(expires.value, now) === undefined) {
      return yield* new Failed({
        message: `${expires.value} is not in the future`,
        next: "Use days such as 7d, or a date such as 2030-12-31"
      })
    }
    const admin = yield* administrator
    const wanted = { uses, codes, account: Option.getOrUndefined(account) }
    const terms = { note: Option.getOrUndefined(about), expires: Option.getOrUndefined(expires) }
    const hasTerms = terms.note !== undefined || terms.expires !== undefined
    const made = yield* hasTerms
      ? procedure(admin, "admin/invites", Made, { ...wanted, ...terms })
      : plainCodes(admin, wanted)
    const all = made.codes
    yield* report({ server: admin.server, uses, ...made }, () => all.join("\n"))
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
    { command: "nacre invite create --uses 5", description: "One code for a family of five" },
    {
      command: 'nacre invite create --note "Book club" --expires 7d',
      description: "One that operators recognize, for a week"
    }
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
      note: Schema.optionalKey(Words),
      expiresAt: Schema.optionalKey(Words),
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
    const now = yield* Clock.currentTimeMillis
    yield* report({ codes }, () =>
      table(
        ["CODE", "USED", "LEFT", "FOR", "CREATED", "EXPIRES", "NOTE"],
        codes.map((one) => {
          const { expiresAt } = one
          const end = expiresAt === undefined ? undefined : Date.parse(expiresAt)
          return [
            one.code,
            `${one.uses.length} of ${one.available}`,
            inviteState({ ...one, expiresAt: end }, now) ?? String(one.available - one.uses.length),
            one.forAccount,
            one.createdAt.slice(0, 10),
            expiresAt?.slice(0, 16).replace("T", " ") ?? "",
            one.note ?? ""
          ]
        }),
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

const Tree = Schema.Struct({
  cursor: Schema.optionalKey(Cursor),
  accounts: Schema.Array(
    Schema.Struct({
      did: Did,
      handle: Handle,
      createdAt: Schema.Finite,
      code: Schema.optionalKey(Words),
      by: Schema.optionalKey(Words),
      note: Schema.optionalKey(Words)
    })
  )
})

const tree = Command.make(
  "tree",
  {},
  Effect.fnUntraced(function* () {
    const admin = yield* administrator
    const accounts: Array<(typeof Tree.Type)["accounts"][number]> = []
    let after: string | undefined
    do {
      const page: typeof Tree.Type = yield* query(admin, "admin/invites/tree", Tree, { after })
      accounts.push(...page.accounts)
      after = page.cursor
    } while (after !== undefined)
    yield* report({ accounts }, () =>
      accounts.length === 0
        ? "No accounts yet."
        : inviteRows(accounts)
            .map(({ account, depth }) => {
              const about = account.note === undefined ? "" : ` (${account.note})`
              return `${"  ".repeat(depth)}${account.handle}${about}`
            })
            .join("\n")
    )
  })
).pipe(Command.withDescription("Show who invited whom"))

/** `nacre invite` */
export const invite = Command.make("invite").pipe(
  Command.withDescription("Create, list and disable invite codes, and show who invited whom"),
  Command.withSubcommands([create, list, tree, disable])
)
