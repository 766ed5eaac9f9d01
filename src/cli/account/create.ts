import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { readablePassword } from "../../../scripts/env.ts"
import { Did, Handle } from "../answers.ts"
import { wholeHandle } from "../handles.ts"
import { facts, note, report } from "../output.ts"
import { theServer } from "../place.ts"
import { ask, askNewPassword } from "../prompts.ts"
import { recoveryDidKey } from "../recoveryKey.ts"
import { administrator } from "../administrator.ts"
import { secretVariable } from "../session.ts"
import { procedure } from "../xrpc.ts"

/** `--generate`: creates a password and shows it once. */
export const generateFlag = Flag.Boolean("generate").pipe(
  Flag.withDescription("Generate a password and show it once"),
  Flag.withDefault(false)
)

/** A new password: made up, from NACRE_NEW_PASSWORD, or asked for twice. */
export const newPassword = Effect.fnUntraced(function* (generate: boolean) {
  if (generate) return { password: Redacted.make(readablePassword()), shown: true }
  const given = yield* secretVariable("NACRE_NEW_PASSWORD")
  const password =
    given ??
    (yield* askNewPassword({
      message: "New password of the account",
      otherwise: "--generate, or NACRE_NEW_PASSWORD=…"
    }))
  return { password, shown: false }
})

const Created = Schema.Struct({ did: Did, handle: Handle })

/** `nacre account create` */
export const create = Command.make(
  "create",
  {
    handle: Argument.String("handle").pipe(
      Argument.withDescription("alice.example.com, or just alice for a name on this server")
    ),
    email: Flag.String("email").pipe(
      Flag.withDescription("Email address, for codes and signing in"),
      Flag.optional
    ),
    did: Flag.String("did").pipe(
      Flag.withDescription("Use this did:web instead of creating a did:plc"),
      Flag.optional
    ),
    invite: Flag.String("invite").pipe(
      Flag.withDescription("Sign up with this invite code instead of the administrator's password"),
      Flag.optional
    ),
    recoveryKey: Flag.String("recovery-key").pipe(
      Flag.withMetavar("file or did:key"),
      Flag.withDescription(
        "The owner's recovery key. If the file doesn't exist, a new key is created in it"
      ),
      Flag.optional
    ),
    generate: generateFlag
  },
  Effect.fnUntraced(function* (given) {
    const server = yield* theServer
    const handle = yield* wholeHandle(server, given.handle)
    const email = Option.isSome(given.email)
      ? given.email.value
      : yield* ask({ message: `Email address of ${handle}`, otherwise: "--email" })
    const remote = Option.isSome(given.invite) ? { server } : yield* administrator
    const { password, shown } = yield* newPassword(given.generate)
    const recovery = Option.isSome(given.recoveryKey)
      ? yield* recoveryDidKey(given.recoveryKey.value)
      : undefined
    const made = yield* procedure(remote, "com.atproto.server.createAccount", Created, {
      handle,
      email,
      password: Redacted.value(password),
      did: Option.getOrUndefined(given.did),
      inviteCode: Option.getOrUndefined(given.invite),
      recoveryKey: recovery?.didKey
    })
    const answer = {
      server,
      ...made,
      email,
      ...(recovery === undefined ? {} : { recoveryKey: recovery.didKey }),
      ...(shown ? { password: Redacted.value(password) } : {})
    }
    yield* report(answer, (all) =>
      facts([
        ["Handle", all.handle],
        ["DID", all.did],
        ["Server", server],
        ["Recovery key", all.recoveryKey],
        ["Password", all.password]
      ])
    )
    if (recovery?.made === true && Option.isSome(given.recoveryKey)) {
      yield* note(
        `Saved the recovery key in ${given.recoveryKey.value}. Store the file somewhere safe, not on this server.`
      )
    }
  })
).pipe(
  Command.withDescription("Create an account, as the administrator or with an invite code"),
  Command.withExamples([
    {
      command: "nacre account create alice --email alice@example.com",
      description: "Asks for the passwords"
    },
    {
      command:
        "nacre account create alice --email alice@example.com --generate --recovery-key alice.key",
      description: "Generates a password and a recovery key"
    }
  ])
)
