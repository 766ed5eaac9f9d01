import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import type { StandardCommand } from "effect/process/ChildProcess"
import {
  ChildProcessSpawner,
  ExitCode,
  make,
  makeHandle,
  ProcessId
} from "effect/process/ChildProcessSpawner"
import { realpathSync } from "node:fs"
import { resolve } from "node:path"

/** What a played program gets. */
export interface Asked {
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: string
}

/** A program that this process plays, because starting another one takes a tenth of a second. */
export type Play = (asked: Asked) => {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const plays = new Map<string, Play>()

/** From now on, the command runs this instead of the script, which exists as a file. */
export const playProgram = (script: string, play: Play): void => {
  plays.set(realpathSync(script), play)
}

/** A word of a command line, which may be a secret. */
const shown = (word: string | Redacted.Redacted): string =>
  Redacted.isRedacted(word) ? Redacted.value(word) : word

const playOf = ({ args: [script = ""] }: StandardCommand): Play | undefined =>
  shown(script).endsWith(".mjs") ? plays.get(realpathSync(resolve(shown(script)))) : undefined

const envOf = ({ options: { env = {} } }: StandardCommand) =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      value === undefined ? undefined : shown(value)
    ])
  )

const stdinOf = ({ options: { stdin } }: StandardCommand) =>
  Stream.isStream(stdin) ? Stream.mkString(Stream.decodeText(stdin)) : Effect.succeed("")

/** Starts the played programs in this process, and all others as usual. */
export const withPlayed = Layer.effect(
  ChildProcessSpawner,
  Effect.map(ChildProcessSpawner, (real) =>
    make(
      Effect.fnUntraced(function* (command) {
        const play = command._tag === "StandardCommand" ? playOf(command) : undefined
        if (command._tag !== "StandardCommand" || play === undefined) {
          return yield* real.spawn(command)
        }
        const { code, stdout, stderr } = play({
          args: command.args.slice(1).map(shown),
          env: { ...process.env, ...envOf(command) },
          stdin: yield* stdinOf(command)
        })
        const output = (text: string) => Stream.encodeText(Stream.make(text))
        return makeHandle({
          pid: ProcessId(0),
          exitCode: Effect.succeed(ExitCode(code)),
          isRunning: Effect.succeed(false),
          kill: () => Effect.void,
          stdin: Sink.drain,
          stdout: output(stdout),
          stderr: output(stderr),
          all: output(stdout + stderr),
          getInputFd: () => Sink.drain,
          getOutputFd: () => Stream.empty,
          unref: Effect.succeed(Effect.void)
        })
      })
    )
  )
)
