import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { Failed } from "../failure.ts"
import { variable } from "../flags.ts"

/** Wrangler as this project has it, or the one that NACRE_WRANGLER names. */
const program = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const given = yield* variable("NACRE_WRANGLER")
  const found = given ?? "node_modules/wrangler/bin/wrangler.js"
  if (yield* Effect.orElseSucceed(files.exists(found), () => false)) return found
  return yield* new Failed({
    message: `There is no wrangler at ${found}`,
    next: "Run this in the folder of the project, after npm ci."
  })
})

const notStarted = (error: { readonly message: string }) =>
  new Failed({ message: `wrangler cannot be run: ${error.message}` })

/** Runs wrangler before the user's eyes (all it prints is no result, so it goes to stderr); fails where it fails. */
export const wrangler = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner
  const stdio = yield* Stdio.Stdio
  const command = ChildProcess.make(process.execPath, [yield* program, ...args], {
    stdin: "inherit",
    stderr: "inherit"
  })
  const running = Effect.gen(function* () {
    const { stdout, exitCode } = yield* spawner.spawn(command)
    yield* Stream.run(stdout, stdio.stderr({ endOnDone: false }))
    return yield* exitCode
  })
  const code = yield* Effect.mapError(Effect.scoped(running), notStarted)
  if (code === 0) return
  return yield* new Failed({
    message: `wrangler ${args.join(" ")} ended with ${code}`,
    next: "What it printed above says why. Are you signed in? npx wrangler login"
  })
})

/** Gives Cloudflare a secret: by stdin, so that it stands in no list of processes. */
export const putSecret = Effect.fnUntraced(function* (name: string, value: Redacted.Redacted) {
  const spawner = yield* ChildProcessSpawner
  const command = ChildProcess.make(process.execPath, [yield* program, "secret", "put", name], {
    stdin: Stream.make(new TextEncoder().encode(Redacted.value(value))),
    stdout: "ignore",
    stderr: "inherit"
  })
  const code = yield* Effect.mapError(spawner.exitCode(command), notStarted)
  if (code === 0) return
  return yield* new Failed({
    message: `wrangler did not take the secret ${name} (${code})`,
    next: "Are you signed in? npx wrangler login"
  })
})

const Names = Schema.fromJsonString(Schema.Array(Schema.Struct({ name: Schema.String })))

/** The names of the secrets that Cloudflare holds; nothing where it cannot be asked. */
export const secretNames = Effect.gen(function* () {
  const spawner = yield* ChildProcessSpawner
  const command = ChildProcess.make(
    process.execPath,
    [yield* program, "secret", "list", "--format", "json"],
    { stdin: "ignore", stderr: "ignore" }
  )
  return yield* spawner.string(command).pipe(
    Effect.flatMap(Schema.decodeEffect(Names)),
    Effect.map((all) => new Set(all.map(({ name }) => name))),
    Effect.orElseSucceed(() => undefined)
  )
})
