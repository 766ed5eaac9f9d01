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

/** The account as an argument; defaults to `--account`. */
export const accountArgument = Argument.String("account").pipe(
  Argument.withDescription("The account's handle or DID; default: --account"),
  Argument.optional
)

/** `--owner`: acts as the owner instead of the administrator. */
export const ownerFlag = Flag.Boolean("owner").pipe(
  Flag.withDescription("Sign in as the account's owner instead of the administrator"),
  Flag.withDefault(false)
)

/** `--yes`: skips the question before an action that can't be undone. */
export const yesFlag = Flag.Boolean("yes").pipe(
  Flag.withAlias("y"),
  Flag.withDescription("Don't ask for confirmation"),
  Flag.withDefault(false)
)

/** The account from the argument, else from the flag. */
export const meant = (argument: Option.Option<string>) =>
  Option.match(argument, {
    onNone: () => theAccount,
    onSome: (name) => Effect.succeed(calledName(name))
  })

/** The DID of an account, resolved by its server. */
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
