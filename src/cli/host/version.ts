import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import { version as installed } from "../../core/host/version.ts"
import { ServerFlag, variable } from "../flags.ts"
import { note, report } from "../output.ts"
import { localServer, theServer } from "../place.ts"
import { readiness } from "../readiness.ts"

/** The server's version, if one is chosen and responds. */
const served = Effect.gen(function* () {
  const isMeant =
    Option.isSome(yield* ServerFlag) ||
    (yield* variable("NACRE_SERVER")) !== undefined ||
    (yield* localServer) !== undefined
  if (!isMeant) return undefined
  const server = yield* theServer
  const version = (yield* Effect.orElseSucceed(readiness(server), () => undefined))?.version
  if (version === undefined) yield* note(`${server} doesn't answer, so its version is unknown.`)
  return { server, version }
})

/** `nacre version`: the versions of the command and of the chosen server. */
export const version = Command.make(
  "version",
  {},
  Effect.fnUntraced(function* () {
    const found = yield* served
    const answer = { command: installed, node: process.versions.node, ...found }
    yield* report(answer, () =>
      [
        `nacre   ${installed}`,
        `node    ${process.versions.node}`,
        ...(found?.version === undefined ? [] : [`server  ${found.version} (${found.server})`])
      ].join("\n")
    )
  })
).pipe(Command.withDescription("Show the versions of this command and of the server"))
