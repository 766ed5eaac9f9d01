import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { calledName } from "../../core/identity/calledName.ts"
import { wholeHandle } from "../handles.ts"
import { note, report } from "../output.ts"
import { knownServer, localServer, namedAccount, originOf } from "../place.ts"
import { ask } from "../prompts.ts"
import { administratorOf } from "../administrator.ts"
import { signInto, withPassword } from "../session.ts"
import { query } from "../xrpc.ts"
import {
  chosenName,
  type OwnerProfile,
  profileWriter,
  readProfile,
  useProfile
} from "./profiles.ts"

/** The server to sign in to: the usual one, the existing profile's, or the person's answer. */
const serverOf = Effect.fnUntraced(function* (name: string | undefined) {
  const before = name === undefined ? undefined : yield* readProfile(name)
  // A profile that doesn't exist yet is created here.
  const known = before?.server ?? (yield* Effect.orElseSucceed(knownServer, () => undefined))
  if (known !== undefined) return known
  const typed = yield* ask({
    message: "Server, such as pds.example.com",
    otherwise: "--server https://pds.example.com",
    check: (text) =>
      originOf(text) === undefined ? "Write it like https://pds.example.com" : undefined
  })
  return originOf(typed) ?? typed
})

/** The account to sign in to: the argument, the usual one, or the person's answer. */
const accountOf = Effect.fnUntraced(function* (given: Option.Option<string>) {
  if (Option.isSome(given)) return calledName(given.value)
  const named = yield* Effect.orElseSucceed(namedAccount, () => undefined)
  return (
    named ??
    calledName(
      yield* ask({
        message: "Handle, such as alice.example.com",
        otherwise: `${nacre} login alice.example.com`
      })
    )
  )
})

/** Explains how to use a profile while a local server takes precedence. */
const tellLocal = Effect.fnUntraced(function* (name: string, server: string) {
  const local = yield* localServer
  if (local === undefined || local.url === server) return
  yield* note(
    `This folder has a local server, which commands here use first. To use this one: --profile ${name}, or set NACRE_PROFILE=${name}`
  )
})

const keepAdministrator = Effect.fnUntraced(function* (server: string, given: string | undefined) {
  const name = given ?? `admin@${new URL(server).host.replace(":", "-")}`
  const { remote, password } = yield* administratorOf(server)
  // Verifies the password before it is stored.
  yield* query(remote, "com.atproto.admin.getInviteCodes", Schema.Unknown, { limit: 1 })
  const write = yield* profileWriter(name)
  yield* write({ server, adminPassword: password, signedInAt: yield* Clock.currentTimeMillis })
  yield* useProfile(name)
  yield* report(
    { profile: name, server, administrator: true },
    () => `Signed in to ${server} as the administrator.`
  )
  yield* tellLocal(name, server)
})

/** `nacre login` */
export const login = Command.make(
  "login",
  {
    account: Argument.String("account").pipe(
      Argument.withDescription("The account's handle or DID; default: --account"),
      Argument.optional
    ),
    operator: Flag.Boolean("operator").pipe(
      Flag.withDescription(
        "Act as this account, an operator, in commands for the administrator; asks again after 15 minutes"
      ),
      Flag.withDefault(false)
    ),
    admin: Flag.Boolean("admin").pipe(
      Flag.withDescription("Sign in as the administrator: keeps the administrator's password"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ account: given, admin, operator }) {
    const chosen = yield* chosenName
    const server = yield* serverOf(chosen)
    if (admin) return yield* keepAdministrator(server, chosen)
    const account = yield* wholeHandle(server, yield* accountOf(given))
    const opened: OwnerProfile = yield* withPassword(server, account, (password) =>
      signInto({ name: chosen, server, operator }, account, password)
    )
    const { name, did, handle } = opened
    yield* useProfile(name)
    yield* report(
      { profile: name, server, did, handle },
      () => `Signed in to ${server} as ${handle}.`
    )
    yield* tellLocal(name, server)
  })
).pipe(
  Command.withDescription(
    "Sign in once, and later commands don't ask for your password.\n\n" +
      "Keeps the server and a session in your settings folder, readable only by you, under a profile's name: the handle, or --profile. " +
      "The password itself isn't kept, except the administrator's with --admin. The session is renewed while you use it, " +
      "and listed under Devices on your account's page. nacre logout ends it."
  ),
  Command.withShortDescription("Sign in once, and later commands don't ask"),
  Command.withExamples([
    {
      command: "nacre login alice.example.com --server https://pds.example.com",
      description: "Asks for the password, and a code if the account has a second factor"
    },
    {
      command: "nacre login alice.example.com --operator",
      description: "Signs in as an operator; needs the authenticator's code"
    },
    {
      command: "nacre login --admin --server https://pds.example.com --profile community",
      description: "Signs in as the administrator"
    }
  ])
)
