import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import { calledName } from "../../core/identity/calledName.ts"
import { Did } from "../answers.ts"
import { wholeHandle } from "../handles.ts"
import { theAccount } from "../place.ts"
import { query } from "../xrpc.ts"

/** The account that a command is about, as an argument; else the one of `--account`. */
export const accountArgument = Argument.String("account").pipe(
  Argument.withDescription("The account's handle or DID; default: --account"),
  Argument.optional
)

/** `--owner`: with the owner's authority instead of the administrator's. */
export const ownerFlag = Flag.Boolean("owner").pipe(
  Flag.withDescription("Sign in as the account's owner instead of the administrator"),
  Flag.withDefault(false)
)

/** `--yes`: no question before what cannot be undone. */
export const yesFlag = Flag.Boolean("yes").pipe(
  Flag.withAlias("y"),
  Flag.withDescription("Don't ask for confirmation"),
  Flag.withDefault(false)
)

/** The account of the argument, or of the flag. */
export const meant = (argument: Option.Option<string>) =>
  Option.match(argument, {
    onNone: () => theAccount,
    onSome: (name) => Effect.succeed(calledName(name))
  })

/** The DID of an account, by the server that it lives on. */
export const didOf = Effect.fnUntraced(function* (server: string, account: string) {
  if (account.startsWith("did:")) return account
  const handle = yield* wholeHandle(server, account)
  const { did } = yield* query(
    { server },
    "com.atproto.identity.resolveHandle",
    Schema.Struct({ did: Did }),
    { handle }
  )
  return did
})
