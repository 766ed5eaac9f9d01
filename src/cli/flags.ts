import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

/** `--server`: the server that a command talks to. */
export const ServerFlag = GlobalFlag.Setting("server")({
  flag: Flag.String("server").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription(
      "The server's address; default: NACRE_SERVER, then the local server of this folder, then the one you signed in to"
    ),
    Flag.optional
  )
})

/** `--account`: the account that a command is about. */
export const AccountFlag = GlobalFlag.Setting("account")({
  flag: Flag.String("account").pipe(
    Flag.withMetavar("handle or DID"),
    Flag.withDescription(
      "The account; default: NACRE_ACCOUNT, then the first account of the local server, then the one you signed in to"
    ),
    Flag.optional
  )
})

/** `--profile`: a server and account stored by `nacre login`. */
export const ProfileFlag = GlobalFlag.Setting("profile")({
  flag: Flag.String("profile").pipe(
    Flag.withMetavar("name"),
    Flag.withDescription(
      "A server and account that you signed in to with nacre login; default: NACRE_PROFILE, then the last one"
    ),
    Flag.optional
  )
})

/** `--json`: one JSON document on stdout, everything else on stderr. */
export const JsonFlag = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withDescription("Print one JSON document for scripts; messages go to stderr"),
    Flag.withDefault(false)
  )
})

/** `--verbose`: adds the protocol's names to errors. */
const VerboseFlag = GlobalFlag.Setting("verbose")({
  flag: Flag.Boolean("verbose").pipe(
    Flag.withDescription("Show the failed method and error code in error messages"),
    Flag.withDefault(false)
  )
})

/** `--reason`: the administrator's reason, for the server's audit log. */
export const ReasonFlag = GlobalFlag.Setting("reason")({
  flag: Flag.String("reason").pipe(
    Flag.withMetavar("text"),
    Flag.withDescription("Why you do this, for the server's audit log (see nacre audit)"),
    Flag.optional
  )
})

/** The flags that every command understands. */
export const globalFlags = [
  ServerFlag,
  AccountFlag,
  ProfileFlag,
  JsonFlag,
  VerboseFlag,
  ReasonFlag
] as const

/** An environment variable; an empty one counts as unset. */
export const variable = (name: string): Effect.Effect<string | undefined> =>
  Config.option(Config.String(name)).pipe(
    Effect.map(Option.getOrUndefined),
    Effect.map((value) => (value === undefined || value.trim() === "" ? undefined : value.trim())),
    // Reading a string can't fail otherwise.
    Effect.orElseSucceed(() => undefined)
  )
