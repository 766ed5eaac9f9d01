import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { nacre } from "../../../scripts/project.ts"
import { version as running } from "../../core/host/version.ts"
import { Words } from "../answers.ts"
import { Failed } from "../failure.ts"

/** The package managers, by their lock files. */
const managers = [
  { lock: "pnpm-lock.yaml", program: "pnpm", add: "add" },
  { lock: "yarn.lock", program: "yarn", add: "add" },
  { lock: "bun.lock", program: "bun", add: "add" },
  { lock: "package-lock.json", program: "npm", add: "install" }
] as const

const exists = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) =>
    Effect.orElseSucceed(files.exists(file), () => false)
  )

const manager = Effect.gen(function* () {
  for (const one of managers) if (yield* exists(one.lock)) return one
  return managers[3]
})

const Project = Schema.fromJsonString(
  Schema.Struct({ dependencies: Schema.Struct({ nacre: Words }) })
)

/** Whether this folder is a project that depends on the package. */
export const isProject = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return yield* files
    .readFileString("package.json")
    .pipe(
      Effect.flatMap(Schema.decodeEffect(Project)),
      Effect.match({ onFailure: () => false, onSuccess: () => true })
    )
})

/** Runs a program with visible output, all on stderr. */
const runShown = Effect.fnUntraced(function* (program: string, args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner
  const stdio = yield* Stdio.Stdio
  const command = ChildProcess.make(program, args, { stdin: "inherit", stderr: "inherit" })
  const running = Effect.gen(function* () {
    const { stdout, exitCode } = yield* spawner.spawn(command)
    yield* Stream.run(stdout, stdio.stderr({ endOnDone: false }))
    return yield* exitCode
  })
  return yield* Effect.mapError(
    Effect.scoped(running),
    ({ message }) => new Failed({ message: `Couldn't run ${program}: ${message}` })
  )
})

/** How to install the present version again: the one that runs, or the tarball that the project names. */
export const wayBack = Effect.gen(function* () {
  const { program, add } = yield* manager
  const files = yield* FileSystem.FileSystem
  const written = yield* files
    .readFileString("package.json")
    .pipe(
      Effect.flatMap(Schema.decodeEffect(Project)),
      Effect.match({ onFailure: () => "", onSuccess: ({ dependencies }) => dependencies.nacre })
    )
  const spec = written.endsWith(".tgz") ? written.replace(/^file:/, "") : `nacre@${running}`
  return { spec, words: `${program} ${add} ${spec}` }
})

/** Installs a version of the package, or a tarball. */
export const install = Effect.fnUntraced(function* (spec: string) {
  const { add, program } = yield* manager
  const code = yield* runShown(program, [add, spec])
  if (code === 0) return
  return yield* new Failed({
    message: `${program} ${add} ${spec} failed with exit code ${code}. Nothing was deployed`,
    next: "See its output above."
  })
})

/** Runs the command of the installed version; false if it fails. */
export const runInstalled = (args: ReadonlyArray<string>) =>
  Effect.map(
    runShown(process.execPath, ["node_modules/nacre/dist/cli.js", ...args]),
    (code) => code === 0
  )

/** The newest published version. */
export const newestVersion = Effect.gen(function* () {
  const spawner = yield* ChildProcessSpawner
  const command = ChildProcess.make("npm", ["view", "nacre", "version"], { stderr: "ignore" })
  const asked = Effect.gen(function* () {
    const { stdout, exitCode } = yield* spawner.spawn(command)
    const text = yield* Stream.mkString(Stream.decodeText(stdout))
    return (yield* exitCode) === 0 ? text.trim() : ""
  })
  const found = yield* Effect.orElseSucceed(Effect.scoped(asked), () => "")
  if (/^\d+\.\d+\.\d+/.test(found)) return found
  return yield* new Failed({
    message: "Couldn't find out the newest version",
    next: `Check your connection, or name a version: ${nacre} upgrade --to <version>`
  })
})
