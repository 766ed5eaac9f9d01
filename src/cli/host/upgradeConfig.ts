import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { report } from "../output.ts"
import { envFlag, theEnvironment } from "./environment.ts"
import { addNeeds } from "./needs.ts"

/** `nacre upgrade config`: what this version's configuration needs; the command of an older version runs it. */
export const upgradeConfig = Command.make(
  "config",
  { env: envFlag },
  Effect.fnUntraced(function* ({ env }) {
    const environment = yield* theEnvironment(env)
    const { file } = environment
    const added = yield* addNeeds(environment)
    yield* report({ file, added }, () =>
      added.length === 0
        ? `${file} has all that this version needs.`
        : `Added to ${file}: ${added.join("; ")}.`
    )
  })
).pipe(
  Command.withDescription(
    "Add what the installed version needs to the wrangler configuration; keeps every other line. nacre upgrade does this itself"
  ),
  Command.withShortDescription("Add what this version needs to the wrangler configuration")
)
