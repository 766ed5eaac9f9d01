import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { newSecret } from "../../../scripts/env.ts"
import { nacre } from "../../../scripts/project.ts"
import { fromBase64Url } from "../../core/bytes/base64url.ts"
import { masterFingerprint } from "../../core/host/fingerprint.ts"
import { administratorOf, administrator } from "../administrator.ts"
import { Words } from "../answers.ts"
import { CallFailed, Failed } from "../failure.ts"
import { ServerFlag } from "../flags.ts"
import { facts, note, report } from "../output.ts"
import { insist } from "../prompts.ts"
import { procedure, type Remote } from "../xrpc.ts"
import { type Environment, theEnvironment } from "./environment.ts"
import { put, storedAs } from "./handing.ts"
import { readVars, setVars, varsFile } from "./vars.ts"
import { wranglerTakes } from "./wrangler.ts"

/** The keys that a rotation replaces. */
type Rotated = "MASTER_KEY" | "PLC_ROTATION_KEY"

/** Where a key is: the file with the copy of a server's secrets, and its environment if deployed. */
export interface KeyPlace {
  readonly file: string
  readonly environment: Environment | undefined
  /** The same command for this place. */
  readonly again: string
}

/** The place of a key: a deployed server's, one's on Node with this data folder, or the local server's. */
export const placeOf = Effect.fnUntraced(function* (
  name: Rotated,
  { data, env }: { readonly data: Option.Option<string>; readonly env: Option.Option<string> }
) {
  const flags = Object.entries({ env, data }).map(([flag, given]) =>
    Option.match(given, { onNone: () => "", onSome: (value) => ` --${flag} ${value}` })
  )
  const again = `${nacre} secret rotate ${name}${flags.join("")}`
  if (Option.isSome(data)) {
    if (Option.isSome(env)) {
      return yield* new Failed({ message: "A server has either --env or --data, not both" })
    }
    const path = yield* Path.Path
    const file = path.resolve(data.value, "nacre.env")
    return { file, environment: undefined, again } satisfies KeyPlace
  }
  if (Option.isNone(env)) {
    return { file: yield* varsFile, environment: undefined, again } satisfies KeyPlace
  }
  const environment = yield* theEnvironment(env)
  if (storedAs(environment, name) !== undefined) {
    return yield* new Failed({
      message: `${name} of ${environment.worker} is in a Secrets Store, where this command doesn't replace it`,
      next: `Bind the old value as ${name}_PREVIOUS, then change the value of ${name}, and deploy. Then run this command without --env, with --server.`
    })
  }
  return { file: environment.copy, environment, again } satisfies KeyPlace
})

/** The administrator of the server at a place. */
export const administratorAt = Effect.fnUntraced(function* ({ environment }: KeyPlace) {
  const declared = environment?.section.vars?.["PUBLIC_URL"]
  if (Option.isSome(yield* ServerFlag) || typeof declared !== "string") return yield* administrator
  return (yield* administratorOf(declared.replace(/\/+$/, ""))).remote
})

/**
 * Makes the new key and gives it to the server with the one until now; continues a rotation that has
 * begun. Returns whether it has just begun.
 */
export const beginRotation = Effect.fnUntraced(function* (
  name: Rotated,
  { environment, file }: KeyPlace,
  yes: boolean
) {
  const before = yield* readVars(file)
  const { [name]: current = "", [`${name}_PREVIOUS`]: previous = "" } = before
  if (current === "") {
    return yield* new Failed({
      message: `${file} has no ${name}`,
      next: `Put your copy of the server's ${name} into that file.`
    })
  }
  const isNew = previous === ""
  if (isNew) {
    const server = environment === undefined ? "the local server" : environment.worker
    yield* insist(`Replace ${name} of ${server}?`, yes)
    // The file first: a key that only the server had could be lost.
    yield* setVars(file, { [name]: newSecret(name), [`${name}_PREVIOUS`]: current })
  }
  const vars = yield* readVars(file)
  if (environment !== undefined) {
    // The old key first, so no version of the Worker lacks it.
    for (const one of [`${name}_PREVIOUS`, name]) yield* put(environment, one, vars[one] ?? "")
    yield* note(`Uploaded ${name} and ${name}_PREVIOUS to Cloudflare.`)
  }
  return isNew
})

/** Removes the old key from the server and keeps it as a comment in the file. */
export const endRotation = Effect.fnUntraced(function* (
  name: Rotated,
  { environment, file }: KeyPlace
) {
  const previous = `${name}_PREVIOUS`
  const { [previous]: old = "" } = yield* readVars(file)
  if (environment !== undefined) {
    const words = `secret delete ${previous}`.split(" ")
    yield* wranglerTakes(words, environment, Redacted.make("y\n"))
  }
  if (old === "") return
  const day = new Date(yield* Clock.currentTimeMillis).toISOString().slice(0, 10)
  yield* setVars(file, { [previous]: undefined, [`# ${name} until ${day}`]: old })
})

/** A part of the server that a rotation couldn't change, and why. */
export const Fault = Schema.Struct({
  did: Schema.optionalKey(Words),
  key: Schema.optionalKey(Words),
  problem: Words
})

const Progress = Schema.Struct({
  fingerprint: Words,
  phase: Words,
  accounts: Schema.Int,
  rewrapped: Schema.Int,
  backups: Schema.Int,
  failed: Schema.Int,
  failures: Schema.Array(Fault),
  damaged: Schema.Int,
  problems: Schema.Array(Fault),
  finishableAt: Schema.Int,
  isHeldUp: Schema.Boolean,
  isBackupOpen: Schema.Boolean
})

/** Faults, one a line. */
export const lines = (faults: ReadonlyArray<typeof Fault.Type>): string =>
  faults.map(({ did, key, problem }) => `  ${key ?? did ?? "the server"}: ${problem}`).join("\n")

/** Continues a rotation for one request; fails if the server doesn't have the new key. */
export const progressOf = Effect.fnUntraced(function* <
  S extends Schema.ConstraintDecoder<{ readonly fingerprint: string }>
>(
  admin: Remote,
  path: string,
  progress: S,
  { again, fingerprint }: { readonly again: string; readonly fingerprint: string }
) {
  const at = yield* procedure(admin, path, progress).pipe(
    Effect.catchIf(
      (failure) => failure instanceof CallFailed && failure.status === 400,
      () => Effect.succeed(undefined)
    )
  )
  if (at?.fingerprint === fingerprint) return at
  return yield* new Failed({
    message: `${admin.server} doesn't have the new key yet`,
    next: `Restart the server, or wait until its new version is deployed. Then run the command again: ${again}`
  })
})

/** Continues the server's rotation until it ends or must wait. */
const follow = Effect.fnUntraced(function* (admin: Remote, fingerprint: string, again: string) {
  while (true) {
    const at = yield* progressOf(admin, "admin/keys/master", Progress, { fingerprint, again })
    if (at.isHeldUp || at.phase === "done") return at
    yield* note(`${at.phase}: ${at.accounts} accounts, ${at.backups} backups`)
  }
})

/** Rotates the master key, as far as it goes now. */
export const rotateMasterKey = Effect.fnUntraced(function* (place: KeyPlace, yes: boolean) {
  yield* beginRotation("MASTER_KEY", place, yes)
  const { MASTER_KEY: key = "" } = yield* readVars(place.file)
  const fingerprint = masterFingerprint(fromBase64Url(key) ?? new Uint8Array(0))
  const at = yield* follow(yield* administratorAt(place), fingerprint, place.again)
  if (at.failed > 0) {
    return yield* new Failed({
      message: `${at.failed} accounts aren't under the new key yet:\n${lines(at.failures)}`,
      next: `The old key stays until they are. Run the command again: ${place.again}`
    })
  }
  if (at.isBackupOpen) {
    return yield* new Failed({
      message: "A backup is running, and its parts must be under one key",
      next: `Run the command again when the backup has ended: ${place.again}`
    })
  }
  const isDone = at.phase === "done"
  if (isDone) yield* endRotation("MASTER_KEY", place)
  yield* report(at, () =>
    facts([
      ["Accounts", `${at.accounts}, all under the new key`],
      ["Backups", at.backups === 0 ? undefined : `${at.backups} put under the new key`],
      ["Unreadable", at.damaged === 0 ? undefined : String(at.damaged)],
      ["Old key", isDone ? "removed" : `stays until ${new Date(at.finishableAt).toISOString()}`]
    ])
  )
  if (at.damaged > 0) yield* note(`Neither key opens these:\n${lines(at.problems)}`)
  if (!isDone) {
    yield* note(
      `Codes that were mailed before are valid until then. Run the command again afterwards: ${place.again}`
    )
  } else if (place.environment === undefined) {
    yield* note("Restart the server so it forgets the old key.")
  }
})
