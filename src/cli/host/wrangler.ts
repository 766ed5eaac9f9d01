import { createRequire } from "node:module"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { Opaque, Words } from "../answers.ts"
import { Failed } from "../failure.ts"
import { variable } from "../flags.ts"
import { signInHint } from "./signedIn.ts"

/** The wrangler that a project resolves, also from a folder of a workspace. */
const installed = (manifest: string): string | undefined =>
  Result.match(
    Result.try(() => createRequire(manifest).resolve("wrangler/package.json")),
    {
      onFailure: () => undefined,
      onSuccess: (found) => found.replace(/package\.json$/, "bin/wrangler.js")
    }
  )

/** The project's wrangler, or the one in NACRE_WRANGLER. */
const program = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const given = yield* variable("NACRE_WRANGLER")
  const found = given ?? installed(path.resolve("package.json"))
  if (found !== undefined && (yield* Effect.orElseSucceed(files.exists(found), () => false))) {
    return found
  }
  return yield* new Failed({
    message: `Couldn't find wrangler${given === undefined ? " in this project" : ` at ${given}`}`,
    next: "Run npm install in the project's folder, then run the command again."
  })
})

/**
 * The target of a wrangler command: an environment of wrangler.toml, in this Cloudflare account.
 */
export interface Subject {
  readonly flag: string
  readonly account: string | undefined
}

/** The command that runs wrangler for an environment. */
const commandFor = (
  program: string,
  { args, of }: { readonly args: ReadonlyArray<string>; readonly of: Subject | undefined },
  stdio: Pick<ChildProcess.CommandOptions, "stdin" | "stderr">
) => {
  const account = of?.account
  return ChildProcess.make(
    process.execPath,
    [program, ...args, ...(of === undefined ? [] : [of.flag])],
    {
      ...stdio,
      // No file contains the account that was just chosen.
      ...(account === undefined ? {} : { env: { CLOUDFLARE_ACCOUNT_ID: account }, extendEnv: true })
    }
  )
}

const notStarted = (error: { readonly message: string }) =>
  new Failed({ message: `Couldn't run wrangler: ${error.message}` })

const failedBy = Effect.fnUntraced(function* (args: ReadonlyArray<string>, code: number) {
  return yield* new Failed({
    message: `wrangler ${args.join(" ")} failed with exit code ${code}`,
    next: `See its output above. If you aren't signed in: ${yield* signInHint}`
  })
})

/**
 * Runs wrangler with visible output on stderr, because it isn't a result; fails if wrangler does.
 */
export const wrangler = Effect.fnUntraced(function* (args: ReadonlyArray<string>, of?: Subject) {
  const spawner = yield* ChildProcessSpawner
  const stdio = yield* Stdio.Stdio
  const shown = { stdin: "inherit", stderr: "inherit" } as const
  const command = commandFor(yield* program, { args, of }, shown)
  const running = Effect.gen(function* () {
    const { stdout, exitCode } = yield* spawner.spawn(command)
    yield* Stream.run(stdout, stdio.stderr({ endOnDone: false }))
    return yield* exitCode
  })
  const code = yield* Effect.mapError(Effect.scoped(running), notStarted)
  if (code !== 0) return yield* failedBy(args, code)
})

/** Runs wrangler to its end and passes its output on line by line; its errors are visible. */
export const wranglerLines = Effect.fnUntraced(function* <R>(
  args: ReadonlyArray<string>,
  of: Subject,
  take: (line: string) => Effect.Effect<void, never, R>
) {
  const spawner = yield* ChildProcessSpawner
  const command = commandFor(yield* program, { args, of }, { stdin: "inherit", stderr: "inherit" })
  const running = Effect.gen(function* () {
    const { stdout, exitCode } = yield* spawner.spawn(command)
    yield* Stream.runForEach(Stream.splitLines(Stream.decodeText(stdout)), take)
    return yield* exitCode
  })
  const code = yield* Effect.mapError(Effect.scoped(running), notStarted)
  if (code !== 0) return yield* failedBy(args, code)
})

/**
 * Passes wrangler a secret on stdin, so it is in no process list; shows its output only on failure.
 */
export const wranglerTakes = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  of: Subject,
  value: Redacted.Redacted
) {
  const { code, stdout, stderr } = yield* wranglerSays(
    args,
    of,
    Stream.make(new TextEncoder().encode(Redacted.value(value)))
  )
  if (code === 0) return
  return yield* new Failed({
    message: `wrangler ${args.join(" ")} failed with exit code ${code}:\n${(stderr + stdout).trim()}`,
    next: "Fix this and run the command again. It skips what is already done."
  })
})

/** Runs wrangler without showing its output, and returns it. */
export const wranglerSays = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  of?: Subject,
  stdin: "ignore" | Stream.Stream<Uint8Array> = "ignore"
) {
  const spawner = yield* ChildProcessSpawner
  const command = commandFor(yield* program, { args, of }, { stdin })
  const running = Effect.gen(function* () {
    const child = yield* spawner.spawn(command)
    const [stdout, stderr] = yield* Effect.all(
      [
        Stream.mkString(Stream.decodeText(child.stdout)),
        Stream.mkString(Stream.decodeText(child.stderr))
      ],
      { concurrency: "unbounded" }
    )
    return { code: yield* child.exitCode, stdout, stderr }
  })
  return yield* Effect.mapError(Effect.scoped(running), notStarted)
})

const Names = Schema.fromJsonString(Schema.Array(Schema.Struct({ name: Words })))

/**
 * The names of a deployed Worker's secrets; empty if there is no such Worker yet.
 *
 * Undefined if Cloudflare doesn't respond.
 */
export const secretNames = Effect.fnUntraced(function* (of: Subject) {
  const said = yield* wranglerSays(["secret", "list", "--format", "json"], of)
  if (said.code !== 0) {
    const isNew = /Worker\b.*\bnot found/.test(said.stdout + said.stderr)
    return isNew ? new Set<string>() : undefined
  }
  return yield* Schema.decodeEffect(Names)(said.stdout).pipe(
    Effect.map((all) => new Set(all.map(({ name }) => name))),
    Effect.orElseSucceed(() => undefined)
  )
})

/**
 * Wrangler's listing of a Secrets Store, which has no JSON form; undefined if Cloudflare doesn't
 * respond.
 */
export const storeListing = Effect.fnUntraced(function* (store: string, of: Subject) {
  const words = `secrets-store secret list ${store} --per-page 100 --remote`.split(" ")
  const said = yield* wranglerSays(words, of)
  if (said.code === 0) return said.stdout
  return (said.stdout + said.stderr).includes("returned no secrets") ? "" : undefined
})

const Accounts = Schema.fromJsonString(
  Schema.Struct({
    accounts: Schema.Array(Schema.Struct({ id: Opaque, name: Words }))
  })
)

/** The Cloudflare accounts of the signed-in user; undefined if there is none. */
export const cloudflareAccounts = Effect.gen(function* () {
  const said = yield* wranglerSays(["whoami", "--json"])
  if (said.code !== 0) return undefined
  return yield* Schema.decodeEffect(Accounts)(said.stdout).pipe(
    Effect.map(({ accounts }) => accounts),
    Effect.orElseSucceed(() => undefined)
  )
})
