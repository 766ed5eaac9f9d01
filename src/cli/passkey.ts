import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { ownerFlag, yesFlag } from "./account/people.ts"
import { Did, Handle, Opaque, Words } from "./answers.ts"
import { Failed } from "./failure.ts"
import { wholeHandle } from "./handles.ts"
import { facts, moment, note, report, table } from "./output.ts"
import { theAccount, theServer } from "./place.ts"
import { insist } from "./prompts.ts"
import { qrLines } from "./qrCode.ts"
import { knownAdministrator, knownPassword, signInAs } from "./session.ts"
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

/**
 * Who sees to the passkeys: the owner, by the account's password, where it is known or `--owner` says so; else the
 * administrator, whose password is at hand; else the owner again, who is asked.
 */
const authority = Effect.fnUntraced(function* (owner: boolean) {
  const server = yield* theServer
  const account = yield* wholeHandle(server, yield* theAccount)
  const password = yield* knownPassword(server, account)
  const admin = owner || password !== undefined ? undefined : yield* knownAdministrator(server)
  return { account, remote: admin ?? (yield* signInAs(server, account)) }
})

const list = Command.make(
  "list",
  { owner: ownerFlag },
  Effect.fnUntraced(function* ({ owner }) {
    const { account, remote } = yield* authority(owner)
    const found = yield* query(remote, "manage/passkeys", Passkeys, { account })
    yield* report(found, ({ handle, passkeys }) =>
      table(
        ["NAME", "ADDED", "LAST USED", "ID"],
        passkeys.map((one) => [one.name, moment(one.createdAt), moment(one.usedAt), one.id]),
        `${handle} has no passkeys. Add one: nacre passkey add`
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
  { owner: ownerFlag },
  Effect.fnUntraced(function* ({ owner }) {
    const { account, remote } = yield* authority(owner)
    const made = yield* procedure(remote, "manage/passkeys/link", Link, { account })
    const expiresAt = new Date(made.expiresAt).toISOString()
    yield* report({ ...made, expiresAt }, ({ handle, url }) =>
      [
        facts([
          ["Account", handle],
          ["Open", url],
          ["Good until", moment(made.expiresAt)]
        ]),
        qrLines(url)
      ].join("\n\n")
    )
    yield* note(
      "Open it, or scan it with the phone that shall have the passkey. It is good once, and whoever opens it first " +
        "can add a passkey: show it to nobody else."
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Make a link that adds a passkey to the account on any device, with a QR code for a phone.\n\n" +
      "It is good for 15 minutes and for one passkey, until the next link is made or the password changes. " +
      "Where the account has an authenticator, the page asks for its code."
  ),
  Command.withShortDescription("Make a link, with a QR code, that adds a passkey on any device"),
  Command.withExamples([
    { command: "nacre passkey add --account alice.example.com", description: "Shows the link" }
  ])
)

/** The passkey that a word means: by its id, or by its name where only one has it. */
const meantBy = (word: string, { handle, passkeys }: typeof Passkeys.Type) => {
  const byId = passkeys.find(({ id }) => id === word)
  const named = passkeys.filter(({ name }) => name === word)
  const [only] = named
  if (byId !== undefined) return Effect.succeed(byId)
  if (only !== undefined && named.length === 1) return Effect.succeed(only)
  return Effect.fail(
    named.length > 1
      ? new Failed({
          message: `${named.length} passkeys are called “${word}”`,
          next: `Name one by its id: ${named.map(({ id }) => id).join(", ")}`
        })
      : new Failed({
          message: `${handle} has no passkey “${word}”`,
          next: "See which there are: nacre passkey list"
        })
  )
}

const remove = Command.make(
  "remove",
  {
    passkey: Argument.String("passkey").pipe(Argument.withDescription("Its name or its id")),
    owner: ownerFlag,
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ passkey, owner, yes }) {
    const { account, remote } = yield* authority(owner)
    const found = yield* query(remote, "manage/passkeys", Passkeys, { account })
    const { id, name } = yield* meantBy(passkey, found)
    yield* insist(`“${name}” will not sign in to ${found.handle} any more. Go on?`, yes)
    const removed = yield* procedure(
      remote,
      "manage/passkeys/remove",
      Schema.Struct({ did: Did, handle: Handle }),
      { account, passkey: id }
    )
    yield* report({ ...removed, removed: { id, name } }, () => `“${name}” is removed.`)
  }, Effect.scoped)
).pipe(Command.withDescription("Remove a passkey: it signs in no more"))

/** `nacre passkey`: the passkeys of an account, by its owner or the administrator. */
export const passkey = Command.make("passkey").pipe(
  Command.withDescription(
    "List and remove the passkeys of --account, and add one on any device by a link.\n\n" +
      "By the account's password where it is known (NACRE_PASSWORD) or with --owner, else by the administrator's."
  ),
  Command.withShortDescription("List, add and remove the passkeys of an account"),
  Command.withSubcommands([list, add, remove])
)
