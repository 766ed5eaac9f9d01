import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../scripts/project.ts"
import { ownerOrAdministrator } from "./account/authority.ts"
import { accountArgument, meant, ownerFlag, yesFlag } from "./account/people.ts"
import { Did, Handle, Opaque, Words } from "./answers.ts"
import { wholeHandle } from "./handles.ts"
import { facts, note, report, table } from "./output.ts"
import { theServer } from "./place.ts"
import { insist } from "./prompts.ts"
import { signInAs } from "./session.ts"
import { procedure, query } from "./xrpc.ts"

const Tokens = Schema.Struct({
  did: Did,
  handle: Handle,
  tokens: Schema.Array(
    Schema.Struct({
      kind: Words,
      name: Words,
      scope: Words,
      createdAt: Words,
      expiresAt: Schema.optionalKey(Words),
      usedAt: Schema.optionalKey(Words)
    })
  )
})

const list = Command.make(
  "list",
  { account: accountArgument, owner: ownerFlag },
  Effect.fnUntraced(function* ({ account: argument, owner }) {
    const { account, remote } = yield* ownerOrAdministrator(argument, owner)
    const found = yield* query(remote, "manage/tokens", Tokens, { account })
    yield* report(found, ({ handle, tokens }) =>
      table(
        ["KIND", "NAME", "SCOPE", "EXPIRES", "LAST USED"],
        tokens.map((one) => [
          one.kind === "token" ? "access token" : "app password",
          one.name,
          one.scope,
          one.expiresAt ?? "never",
          one.usedAt ?? "never"
        ]),
        `${handle} has no access tokens or app passwords. Make a token: ${nacre} token create`
      )
    )
  }, Effect.scoped)
).pipe(Command.withDescription("List the account's access tokens and app passwords"))

const Made = Schema.Struct({
  did: Did,
  handle: Handle,
  name: Words,
  scope: Words,
  expiresAt: Words,
  token: Opaque
})

const create = Command.make(
  "create",
  {
    name: Argument.String("name").pipe(Argument.withDescription("The script or service it's for")),
    account: accountArgument,
    scope: Flag.String("scope").pipe(
      Flag.withDescription("read, standard, privileged, or OAuth scopes in quotes; default: read"),
      Flag.withDefault("read")
    ),
    days: Flag.Int("days").pipe(
      Flag.withDescription("Days until it expires, 366 at most; default: 90"),
      Flag.withDefault(90)
    )
  },
  Effect.fnUntraced(function* ({ account: argument, name, scope, days }) {
    const server = yield* theServer
    const account = yield* wholeHandle(server, yield* meant(argument))
    const remote = yield* signInAs(server, account, { isRecent: true })
    const input = { account, name, scope, days }
    const made = yield* procedure(remote, "manage/tokens/create", Made, input)
    yield* report(made, ({ handle, token, expiresAt }) =>
      facts([
        ["Account", handle],
        ["Scope", made.scope],
        ["Expires", expiresAt],
        ["Token", token]
      ])
    )
    yield* note("Copy the token now: you won't see it again. Send it as “Authorization: Bearer …”.")
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Create an access token for scripts, as the account's owner. It is shown once."
  ),
  Command.withExamples([
    {
      command: 'nacre token create "Backup script" alice.example.com',
      description: "A token that can only read"
    },
    {
      command: 'nacre token create Poster --scope "repo:app.bsky.feed.post?action=create"',
      description: "A token that can only create posts"
    }
  ])
)

const revoke = Command.make(
  "revoke",
  {
    name: Argument.String("name").pipe(Argument.withDescription("Its name")),
    account: accountArgument,
    appPassword: Flag.Boolean("app-password").pipe(
      Flag.withDescription("Revoke an app password instead of an access token"),
      Flag.withDefault(false)
    ),
    owner: ownerFlag,
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ account: argument, appPassword, name, owner, yes }) {
    const { account, remote } = yield* ownerOrAdministrator(argument, owner)
    yield* insist(`Revoke “${name}”? What uses it stops working.`, yes)
    const kind = appPassword ? "app-password" : "token"
    const revoked = yield* procedure(
      remote,
      "manage/tokens/revoke",
      Schema.Struct({ did: Did, handle: Handle }),
      { account, kind, name }
    )
    yield* report({ ...revoked, revoked: { kind, name } }, () => `Revoked “${name}”.`)
  }, Effect.scoped)
).pipe(Command.withDescription("Revoke an access token, or with --app-password an app password"))

/** `nacre token`: the access tokens and app passwords of an account. */
export const token = Command.make("token").pipe(
  Command.withDescription("List, create and revoke the access tokens of an account"),
  Command.withSubcommands([list, create, revoke])
)
