import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stdio from "effect/Stdio"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { run } from "../../src/cli/run.ts"

/** Runs the command in this process, without a server or a terminal. */
export const runHere = async (args: ReadonlyArray<string>) => {
  const out: Array<string> = []
  const err: Array<string> = []
  const quiet = {
    ...globalThis.console,
    log: (text: string) => out.push(text),
    error: (text: string) => err.push(text)
  }
  const services = Layer.mergeAll(
    FetchHttpClient.layer,
    Layer.succeed(
      ConfigProvider.ConfigProvider,
      ConfigProvider.fromEnv({ env: { DATA_DIR: "/nowhere", NACRE_CONFIG_DIR: "/nowhere" } })
    )
  ).pipe(Layer.provideMerge(NodeServices.layer))
  const stdio = Stdio.layerTest({
    args: Effect.succeed(args),
    stdinIsTerminal: Effect.succeed(false),
    stderrIsTerminal: Effect.succeed(false)
  })
  const exit = await run("0.0.0").pipe(
    Effect.provide(Layer.provideMerge(stdio, services)),
    Effect.provideService(Console.Console, quiet as unknown as Console.Console),
    Effect.runPromiseExit
  )
  return { isContent: Exit.isSuccess(exit), stdout: out.join("\n"), stderr: err.join("\n") }
}

/** A command and its help. */
export interface CommandHelp {
  readonly path: ReadonlyArray<string>
  readonly help: string
}

/** The lines of a section of a help text. */
export const linesOf = (help: string, section: string): ReadonlyArray<string> =>
  (new RegExp(`^${section}\n((?: {2}.*\n?)+)`, "m").exec(help)?.[1] ?? "")
    .split("\n")
    .filter((line) => line.trim() !== "")

/** Every command with its help, starting at a path. */
export const walkCommands = async (
  path: ReadonlyArray<string> = []
): Promise<ReadonlyArray<CommandHelp>> => {
  const { isContent, stdout, stderr } = await runHere([...path, "--help"])
  if (!isContent) throw new Error(`no help of ${path.join(" ")}: ${stderr}`)
  const below: Array<CommandHelp> = []
  for (const line of linesOf(stdout, "SUBCOMMANDS")) {
    below.push(...(await walkCommands([...path, line.trim().split(" ")[0] ?? ""])))
  }
  return [{ path, help: stdout }, ...below]
}
