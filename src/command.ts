import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Terminal from "effect/Terminal"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { Adoption } from "./cli/adopt/adopt.ts"
import { Drill } from "./cli/backup/drillBackup.ts"
import { run } from "./cli/run.ts"
import { version } from "./core/host/version.ts"

/** Prints prompts on stderr, because stdout carries only the result. */
const Questions = Layer.effect(
  Terminal.Terminal,
  Effect.map(Terminal.Terminal, (terminal) =>
    Terminal.make({
      ...terminal,
      display: (text) => Effect.sync(() => process.stderr.write(text))
    })
  )
).pipe(Layer.provide(NodeTerminal.layer))

run(version).pipe(
  Effect.provideService(Drill, (of) =>
    Effect.flatMap(
      Effect.promise(() => import("./drill.ts")),
      ({ drillOf }) => drillOf(of)
    )
  ),
  Effect.provideService(Adoption, (asked) =>
    Effect.flatMap(
      Effect.promise(() => import("./layers/accounts/adopt/adopt.ts")),
      ({ adopt }) => adopt(asked)
    )
  ),
  Effect.provide(
    Layer.mergeAll(Questions, FetchHttpClient.layer, TerminalCapabilities.layer).pipe(
      Layer.provideMerge(NodeServices.layer)
    )
  ),
  NodeRuntime.runMain
)
