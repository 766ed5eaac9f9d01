import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { JsonFlag } from "../flags.ts"
import { print, style } from "../output.ts"
import { envFlag, theEnvironment } from "./environment.ts"
import { documents, entriesOf, inWords, requestIdOf } from "./logEntries.ts"
import { wranglerLines } from "./wrangler.ts"

/** `nacre logs`: follows the deployed server's log. */
export const logs = Command.make(
  "logs",
  {
    env: envFlag,
    search: Flag.String("search").pipe(
      Flag.withMetavar("text"),
      Flag.withDescription("Show only lines that contain this text"),
      Flag.optional
    ),
    request: Flag.String("request").pipe(
      Flag.withMetavar("id"),
      Flag.withDescription(
        "Show only lines about this request: the id is in x-request-id of its answer"
      ),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ env, request, search }) {
    const environment = yield* theEnvironment(env)
    const isJson = yield* JsonFlag
    const colours = yield* style
    const words = Option.match(
      Option.orElse(request, () => search),
      {
        onNone: () => [],
        onSome: (text) => ["--search", text]
      }
    )
    const next = documents()
    const args = ["tail", environment.worker, "--format", "json", ...words]
    yield* wranglerLines(args, environment, (line) =>
      Effect.forEach(
        entriesOf(next(line)).filter(
          (entry) =>
            (Option.isNone(request) || requestIdOf(entry) === request.value) &&
            (Option.isNone(search) || JSON.stringify(entry).includes(search.value))
        ),
        (entry) => print(isJson ? JSON.stringify(entry) : inWords(entry, colours)),
        { discard: true }
      )
    )
  })
).pipe(
  Command.withDescription(
    "Show the deployed server's log as it happens, a line for each request; with --json, one JSON document a line. Stop with Ctrl-C"
  ),
  Command.withShortDescription("Show the deployed server's log")
)
