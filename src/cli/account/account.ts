import * as Command from "effect/cli/Command"
import { activate, deactivate, handle, password, remove } from "./change.ts"
import { check, keep, quota, restore, suspend } from "./care.ts"
import { codes } from "./codes.ts"
import { create } from "./create.ts"
import { history } from "./history.ts"
import { resetFactor } from "./resetFactor.ts"
import { list, show } from "./show.ts"

/** `nacre account`: the accounts of a server. */
export const account = Command.make("account").pipe(
  Command.withDescription("Create, inspect and manage accounts"),
  Command.withSubcommands([
    create,
    list,
    show,
    activate,
    deactivate,
    remove,
    password,
    handle,
    codes,
    history,
    check,
    suspend,
    restore,
    keep,
    quota,
    resetFactor
  ])
)
