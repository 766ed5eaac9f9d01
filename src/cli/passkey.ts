import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { nacre } from "../../scripts/project.ts"
import { ownerOrAdministrator } from "./account/authority.ts"
import { accountArgument, ownerFlag, yesFlag } from "./account/people.ts"
import { Did, Handle, Opaque, Words } from "./answers.ts"
import { Failed } from "./failure.ts"
import { facts, moment, note, report, table } from "./output.ts"
import { insist } from "./prompts.ts"
import { qrLines } from "./qrCode.ts"
import { procedure, query } from "./xrpc.ts"

const Passkeys = Schema.Struct({
  did: Did,
  handle: Handle,
  passkeys: Schema.Array(
    Schema.Struct({
      id: Opaque,
      name: Words,
      createdAt: Schema.Finite,
      usedAt: Schema.optionalKey(Schema.Finite)
    })
  )
})

const list = Command.make(
  "list",
  { account: accountArgument, owner: ownerFlag },
  Effect.fnUntraced(function* ({ account: argument, owner }) {
    const { account, remote } = yield* ownerOrAdministrator(argument, owner)
    const found = yield* query(remote, "manage/passkeys", Passkeys, { account })
    yield* report(found, ({ handle, passkeys }) =>
      table(
        ["NAME", "ADDED", "LAST USED", "ID"],
        passkeys.map((one) => [one.name, moment(one.createdAt), moment(one.usedAt), one.id]),
        `${handle} has no passkeys. Add one: ${nacre} passkey add`
      )
    )
  }, Effect.scoped)
).pipe(Command.withDescription("List the account's passkeys"))

const Link = Schema.Struct({
  did: Did,
  handle: Handle,
  url: Opaque,
  expiresAt: Schema.Finite
})

const add = Command.make(
  "add",
  { account: accountArgument, owner: ownerFlag },
  Effect.fnUntraced(function* ({ account: argument, owner }) {
    const { account, remote } = yield* ownerOrAdministrator(argument, owner)
    const made = yield* procedure(remote, "manage/passkeys/link", Link, { account })
    const expiresAt = new Date(made.expiresAt).toISOString()
    yield* report({ ...made, expiresAt }, ({ handle, url }) =>
      [
        facts([
          ["Account", handle],
          ["Open", url],
          ["Expires", moment(made.expiresAt)]
        ]),
        qrLines(url)
      ].join("\n\n")
    )
    yield* note(
      "Open the link, or scan the code with your phone. It works once, and anyone who opens it " +
        "can add a passkey, so don't share it."
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Create a link that adds a passkey on any device, with a QR code for phones.\n\n" +
      "The link expires after 15 minutes, after one use, when you create a newer link, or when the password changes. " +
      "If the account has an authenticator app, the page asks for its code."
  ),
  Command.withShortDescription("Create a link that adds a passkey on any device"),
  Command.withExamples([
    {
      command: "nacre passkey add alice.example.com",
      description: "Shows the link and a QR code"
    }
  ])
)

/** Finds a passkey by its id, or by its name if only one has it. */
const meantBy = (word: string, { handle, passkeys }: typeof Passkeys.Type) => {
  const byId = passkeys.find(({ id }) => id === word)
  const named = passkeys.filter(({ name }) => name === word)
  const [only] = named
  if (byId !== undefined) return Effect.succeed(byId)
  if (only !== undefined && named.length === 1) return Effect.succeed(only)
  return Effect.fail(
    named.length > 1
      ? new Failed({
          message: `${named.length} passkeys are named “${word}”`,
          next: `Choose one by its ID: ${named.map(({ id }) => id).join(", ")}`
        })
      : new Failed({
          message: `${handle} has no passkey “${word}”`,
          next: `List them: ${nacre} passkey list`
        })
  )
}

const remove = Command.make(
  "remove",
  {
    passkey: Argument.String("passkey").pipe(Argument.withDescription("The passkey's name or ID")),
    account: accountArgument,
    owner: ownerFlag,
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ account: argument, passkey, owner, yes }) {
    const { account, remote } = yield* ownerOrAdministrator(argument, owner)
    const found = yield* query(remote, "manage/passkeys", Passkeys, { account })
    const { id, name } = yield* meantBy(passkey, found)
    yield* insist(`Remove “${name}”? It will no longer sign in to ${found.handle}.`, yes)
    const removed = yield* procedure(
      remote,
      "manage/passkeys/remove",
      Schema.Struct({ did: Did, handle: Handle }),
      { account, passkey: id }
    )
    yield* report({ ...removed, removed: { id, name } }, () => `Removed “${name}”.`)
  }, Effect.scoped)
).pipe(Command.withDescription("Remove a passkey"))

/** `nacre passkey`: the passkeys of an account, by its owner or the administrator. */
export const passkey = Command.make("passkey").pipe(
  Command.withDescription(
    "List, add and remove the passkeys of an account.\n\n" +
      "Uses the account's password if NACRE_PASSWORD or --owner is given, and the administrator's otherwise."
  ),
  Command.withShortDescription("List, add and remove an account's passkeys"),
  Command.withSubcommands([list, add, remove])
)
