import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Config from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stdio from "effect/Stdio"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { run } from "../../src/cli/run.ts"

/** Runs the command in this process, far from any server and with nobody to ask: what it prints, and whether it is content. */
const runHere = async (args: ReadonlyArray<string>) => {
  const out: Array<string> = []
  const err: Array<string> = []
  const quiet = {
    ...globalThis.console,
    log: (text: string) => out.push(text),
    error: (text: string) => err.push(text)
  }
  const services = Layer.mergeAll(
    FetchHttpClient.layer,
    Layer.succeed(Config.ConfigProvider, Config.fromEnv({ env: { DATA_DIR: "/nowhere" } }))
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

interface Seen {
  readonly path: ReadonlyArray<string>
  readonly help: string
}

/** The lines of a section of a help text. */
const linesOf = (help: string, section: string): ReadonlyArray<string> =>
  (new RegExp(`^${section}\n((?: {2}.*\n?)+)`, "m").exec(help)?.[1] ?? "")
    .split("\n")
    .filter((line) => line.trim() !== "")

/** Every command with its help, from the first on. */
const walk = async (path: ReadonlyArray<string> = []): Promise<ReadonlyArray<Seen>> => {
  const { isContent, stdout, stderr } = await runHere([...path, "--help"])
  assert.isTrue(isContent, `${path.join(" ")}: ${stderr}`)
  const below: Array<Seen> = []
  for (const line of linesOf(stdout, "SUBCOMMANDS")) {
    below.push(...(await walk([...path, line.trim().split(" ")[0] ?? ""])))
  }
  return [{ path, help: stdout }, ...below]
}

describe("every command", () => {
  let all: ReadonlyArray<Seen>
  beforeAll(async () => {
    all = await walk()
  })

  it("says in its help what it does, and what each argument and flag means", () => {
    assert.isAbove(all.length, 30)
    for (const { path, help } of all) {
      assert.match(help, /^DESCRIPTION\n {2}\S/, path.join(" "))
      for (const section of ["ARGUMENTS", "FLAGS", "SUBCOMMANDS"]) {
        for (const line of linesOf(help, section)) {
          assert.match(line, /^ {2}\S.*? {2,}\S/, `${path.join(" ")}: ${line}`)
        }
      }
    }
  })

  it("prints one JSON document where it is asked to and cannot do its work, and says what to do next", async () => {
    const leaves = all.filter(
      ({ help, path }) =>
        linesOf(help, "SUBCOMMANDS").length === 0 &&
        // These are about this machine alone, and ask no server.
        !["init", "deploy", "secret"].includes(path[0] ?? "")
    )
    for (const { path } of leaves) {
      const { isContent, stdout, stderr } = await runHere([...path, "--json"])
      assert.isFalse(isContent, path.join(" "))
      const { message, next } = JSON.parse(stdout)
      assert.isString(message, path.join(" "))
      assert.isString(next, path.join(" "))
      assert.include(stderr, message)
    }
  })
})
