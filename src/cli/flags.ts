import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

/** `--server`: the server that a command talks to. */
export const ServerFlag = GlobalFlag.Setting("server")({
  flag: Flag.String("server").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription("The server; else NACRE_SERVER, else the local one of this folder"),
    Flag.optional
  )
})

/** `--account`: the account that a command is about. */
export const AccountFlag = GlobalFlag.Setting("account")({
  flag: Flag.String("account").pipe(
    Flag.withMetavar("handle or DID"),
    Flag.withDescription("The account; else NACRE_ACCOUNT, else the first one of the local server"),
    Flag.optional
  )
})

/** `--json`: one JSON document on stdout, everything else on stderr. */
export const JsonFlag = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withDescription("Print one JSON document, for scripts; messages go to stderr"),
    Flag.withDefault(false)
  )
})

/** The flags that every command understands. */
export const globalFlags = [ServerFlag, AccountFlag, JsonFlag] as const

/** A variable of the environment; empty counts as not set. */
export const variable = (name: string): Effect.Effect<string | undefined> =>
  Config.option(Config.String(name)).pipe(
    Effect.map(Option.getOrUndefined),
    Effect.map((value) => (value === undefined || value.trim() === "" ? undefined : value.trim())),
    // A text that is there is a text: nothing to report.
    Effect.orElseSucceed(() => undefined)
  )
