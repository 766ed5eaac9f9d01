import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Runtime from "effect/Runtime"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { Drill } from "../../src/cli/backup/drillBackup.ts"
import { Pause } from "../../src/cli/patience.ts"
import { run } from "../../src/cli/run.ts"
import { withPlayed } from "./playedPrograms.ts"

/**
 * A question, matched by a pattern, and the typed answer: a text and return, or how often arrow
 * down is pressed.
 */
export type Answer = readonly [question: RegExp, answer: string | number]

const keysOf = (answer: string | number): ReadonlyArray<Terminal.UserInput> => {
  const key = (name: string, input: string | undefined): Terminal.UserInput => ({
    input: Option.fromUndefinedOr(input),
    key: { name, ctrl: false, meta: false, shift: false }
  })
  const typed =
    typeof answer === "number"
      ? Array.from({ length: answer }, () => key("down", undefined))
      : [...answer].map((sign) => key(sign === "\b" ? "backspace" : sign, sign))
  return [...typed, key("return", undefined)]
}

// oxlint-disable-next-line no-control-regex
const withoutColours = (text: string): string => text.replace(/\u001B\[[0-9;?]*[A-Za-z]/g, "")

interface Place {
  readonly answers?: ReadonlyArray<Answer>
  /** The folder to run in; default: this process's. */
  readonly folder?: string
  /** Replaces the real network. */
  readonly fetch?: typeof globalThis.fetch
  /** Gets the pauses before repeated calls, in milliseconds, in place of time. */
  readonly pauses?: Array<number>
  readonly env: Readonly<Record<string, string>>
}

/** Gives this process a folder and variables, which the command's own children inherit; returns how to go back. */
const settle = ({ env, folder = process.cwd() }: Place): (() => void) => {
  const cwd = process.cwd()
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const)
  process.chdir(folder)
  Object.assign(process.env, env)
  return () => {
    process.chdir(cwd)
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

/** Runs in one place, which may run at once; others wait until this process is free. */
interface Visit {
  readonly key: string
  runs: number
  readonly entered: Promise<void>
  readonly left: Promise<void>
  leave(): void
}
let newest: Visit | undefined

const enter = (place: Place): Visit => {
  const key = JSON.stringify([place.folder, place.env])
  if (newest !== undefined && newest.runs > 0 && newest.key === key) {
    newest.runs += 1
    return newest
  }
  const before = newest?.left ?? Promise.resolve()
  let over = () => {}
  const left = new Promise<void>((resolve) => (over = resolve))
  let back = () => {}
  const visit: Visit = {
    key,
    runs: 1,
    entered: before.then(() => {
      back = settle(place)
    }),
    left,
    leave: () => {
      visit.runs -= 1
      if (visit.runs > 0) return
      back()
      over()
    }
  }
  newest = visit
  return visit
}

/**
 * Runs the command in this process; with `answers`, at a terminal where each question is answered.
 */
export const runTyping = async (args: ReadonlyArray<string>, place: Place) => {
  const visit = enter(place)
  try {
    await visit.entered
    return await runAt(args, place)
  } finally {
    visit.leave()
  }
}

const runAt = async (args: ReadonlyArray<string>, place: Place) => {
  const { answers, env, fetch = globalThis.fetch, pauses = [] } = place
  const out: Array<string> = []
  const err: Array<string> = []
  const left = [...(answers ?? [])]
  let heard = ""
  const program = Effect.gen(function* () {
    const keys = yield* Queue.make<Terminal.UserInput>()
    const hear = (text: string) => {
      err.push(text)
      heard += withoutColours(text)
      const [next] = left
      if (next === undefined || !next[0].test(heard)) return
      left.shift()
      heard = ""
      for (const key of keysOf(next[1])) Queue.offerUnsafe(keys, key)
    }
    const terminal = Terminal.make({
      columns: Effect.succeed(200),
      rows: Effect.succeed(50),
      size: Effect.flatMap(Queue.make<Terminal.Size>(), (sizes) =>
        Effect.as(Queue.offer(sizes, { columns: 200, rows: 50 }), sizes)
      ),
      readInput: Effect.succeed(keys),
      readLine: Effect.die("no line is read"),
      display: (text) => Effect.sync(() => hear(text))
    })
    const quiet = {
      ...globalThis.console,
      log: (text: string) => out.push(text),
      error: (text: string) => hear(`${text}\n`)
    }
    const services = Layer.mergeAll(
      FetchHttpClient.layer,
      Layer.succeed(Terminal.Terminal, terminal),
      Layer.succeed(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
    ).pipe(Layer.provideMerge(withPlayed), Layer.provideMerge(NodeServices.layer))
    const stdio = Stdio.layerTest({
      args: Effect.succeed(args),
      stdinIsTerminal: Effect.succeed(answers !== undefined),
      stderrIsTerminal: Effect.succeed(answers !== undefined),
      // The output of the programs that the command runs.
      stderr: () =>
        Sink.forEach((chunk) =>
          Effect.sync(() => hear(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()))
        )
    })
    return yield* run("0.0.0").pipe(
      Effect.provide(Layer.provideMerge(stdio, services)),
      // SAFETY: the command uses these two of its methods.
      Effect.provideService(Console.Console, quiet as unknown as Console.Console),
      Effect.provideService(Pause, (pause) => Effect.sync(() => void pauses.push(pause))),
      Effect.provideService(FetchHttpClient.Fetch, fetch),
      Effect.provideService(Drill, (of) =>
        Effect.flatMap(
          Effect.promise(() => import("../../src/drill.ts")),
          ({ drillOf }) => drillOf(of)
        )
      )
    )
  })
  const exit = await Effect.runPromiseExit(program)
  // As the program does: a failure that the command hasn't reported is a fault of its own.
  if (Exit.isFailure(exit) && Runtime.getErrorReported(Cause.squash(exit.cause))) {
    err.push(Cause.pretty(exit.cause))
  }
  let code = 0
  Runtime.defaultTeardown(exit, (its) => (code = its))
  return {
    isContent: code === 0,
    code,
    stdout: out.join("\n"),
    // SAFETY: each test knows what it asked for, and asserts on it.
    get json(): any {
      return JSON.parse(out.join("\n"))
    },
    stderr: withoutColours(err.join("")),
    unasked: left.map(([question]) => question.source)
  }
}
