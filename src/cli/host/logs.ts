import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { JsonFlag } from "../flags.ts"
import { envFlag, theEnvironment } from "./environment.ts"
import { wrangler } from "./wrangler.ts"

/** `nacre logs`: what the deployed server logs, as it happens. */
export const logs = Command.make(
  "logs",
  {
    env: envFlag,
    search: Flag.String("search").pipe(
      Flag.withMetavar("text"),
      Flag.withDescription("Show only lines that contain this text"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ env, search }) {
    const environment = yield* theEnvironment(env)
    const format = (yield* JsonFlag) ? "json" : "pretty"
    const words = search._tag === "Some" ? ["--search", search.value] : []
    yield* wrangler(["tail", environment.worker, "--format", format, ...words], environment)
  })
).pipe(
  Command.withDescription("Show the deployed server's log as it happens. Stop with Ctrl-C"),
  Command.withShortDescription("Show the deployed server's log")
)
