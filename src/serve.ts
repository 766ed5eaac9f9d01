/** `nacre serve`: a server on one machine, which keeps everything in a folder. */
import { existsSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import { lineFor, type LogFormat } from "../scripts/devLog.ts"
import { fingerprint, writePrivate } from "../scripts/env.ts"
import { inWords, otherAddress, otherKey, whereToCorrect } from "../scripts/serve/failures.ts"
import { help, readSettings, type ServeSettings } from "../scripts/serve/settings.ts"
import {
  readNote,
  refuseMove,
  refuseOtherBlobs,
  refuseOtherKey,
  tryFolder
} from "../scripts/start/checks.ts"
import { messageOf, Refused } from "../scripts/start/failures.ts"
import { PasswordTurns } from "./services/sessions/Passwords.ts"
import type { Misconfigured, Settings } from "./services/host/Config.ts"
import { accountApp } from "./http/account.ts"
import { makeWorker } from "./http/webHandler.ts"
import { markerOf } from "./layers/accounts/adopt/adoption.ts"
import * as Box from "./layers/Box.ts"
import * as ConfigEnv from "./layers/host/ConfigEnv.ts"
import { guardedFetch } from "./layers/host/guardedFetch.ts"
import * as NodeServer from "./layers/host/NodeServer.ts"
import { HomeFetch } from "./layers/host/OutgoingFetch.ts"
import { type Proxies, readProxies } from "./layers/host/proxies.ts"

/** How long open requests may take to end at a stop, in milliseconds. */
const grace = 5000

/** The server's settings; throws if the configuration is invalid. */
const configurationOf = (settings: ServeSettings) => {
  const read = ConfigEnv.read(settings.env)
  if (Result.isSuccess(read)) return read.success
  const lines = read.failure.problems.map(({ variable, message }) => `  ${variable} ${message}`)
  throw new Refused(
    `The configuration is invalid:\n${lines.join("\n")}\n${whereToCorrect(settings)}`
  )
}

const proxiesOf = (text: string): Proxies => {
  try {
    return readProxies(text)
  } catch (cause) {
    throw new Refused(messageOf(cause))
  }
}

/** Fails if the folder's data belongs to another address, key or bucket; notes them. */
const claim = (
  { folder, port, env }: ServeSettings,
  { publicUrl, blobStore }: Pick<Settings, "publicUrl" | "blobStore">
): void => {
  const file = join(folder, "server.json")
  const note = readNote(file) ?? {}
  refuseMove(note, publicUrl, folder, otherAddress)
  refuseOtherKey(note, env, folder, "this configuration", otherKey)
  refuseOtherBlobs(note, blobStore?.url, file)
  const masterKey = fingerprint(env["MASTER_KEY"])
  writePrivate(file, JSON.stringify({ publicUrl, port, masterKey, blobs: blobStore?.url }))
}

/** Fails if the folder's data was not copied completely. */
const refuseHalf = (folder: string): void => {
  if (!existsSync(markerOf(folder))) return
  throw new Refused(`The copy into ${folder} is not complete. Run nacre adopt again.`)
}

/** Prints the log for people. */
const prettyConsole: Console.Console = {
  ...globalThis.console,
  log: (text: unknown) => {
    const hasColours = process.stdout.isTTY === true && !process.env["NO_COLOR"]
    process.stdout.write(`${lineFor(String(text), { hasColours })}\n`)
  }
}

const consoleOf = (format: LogFormat): Console.Console =>
  format === "pretty" ? prettyConsole : globalThis.console

const program = (settings: ServeSettings) =>
  Effect.gen(function* () {
    const { folder, port, host, env, logFormat } = settings
    const { mostOpen, sharesSyncs, backupFolder } = settings
    const configuration = configurationOf(settings)
    const { devAllowHosts, publicUrl, rateLimits } = configuration
    const proxies = proxiesOf(settings.trustedProxies)
    tryFolder(folder)
    refuseHalf(folder)
    // A sign-in must not keep other requests from the only processor.
    const turns = yield* Semaphore.make(Math.max(1, availableParallelism() - 1))
    const reach = Layer.mergeAll(
      Layer.succeed(HomeFetch, guardedFetch(devAllowHosts)),
      Layer.succeed(PasswordTurns, (hash) => turns.withPermit(hash))
    )
    const home = yield* Box.make(accountApp, env, {
      folder,
      backupFolder,
      mostOpen,
      sharesSyncs
    }).pipe(Effect.provide(reach))
    claim(settings, configuration)
    // Built in this scope, so a stop closes every database.
    const services = yield* Layer.build(home.services.pipe(Layer.provideMerge(reach)))
    const worker = makeWorker(
      Layer.succeedContext(Context.add(services, Console.Console, consoleOf(logFormat)))
    )
    const { sequencer } = home
    const isCapped = rateLimits !== "off"
    const handler = worker.fetch
    yield* NodeServer.serve({ handler, sequencer, port, host, proxies, grace, isCapped })
    yield* Effect.promise(worker.scheduled).pipe(
      Effect.repeat(Schedule.spaced("5 minutes")),
      Effect.forkScoped
    )
    yield* Effect.sync(() => console.log(`Nacre serves ${publicUrl} on ${host}:${port}`))
    return yield* Effect.never
  }).pipe(Effect.scoped)

/** A failure for the person who started the server. */
const explain = (cause: Cause.Cause<Misconfigured>): string => {
  const problem = Cause.squash(cause)
  const isClear = problem instanceof Refused || problem instanceof Box.FolderInUse
  return isClear ? problem.message : (inWords(problem) ?? Cause.pretty(cause))
}

const settings = Effect.sync(() => readSettings(process.argv.slice(2)))

const main = Effect.flatMap(settings, (read) =>
  read === undefined ? Effect.sync(() => console.log(help)) : program(read)
)

// Password hashes and syncs share this pool; set before its first use.
process.env["UV_THREADPOOL_SIZE"] ??= "16"

const fiber = Effect.runFork(main)
fiber.addObserver((exit) => {
  const isStopped = Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)
  if (!isStopped) process.stderr.write(`${explain(exit.cause)}\n`)
  process.exit(isStopped ? 0 : 1)
})
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => fiber.interruptUnsafe())
}
