import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { loadSecrets, parseVars, writePrivate } from "../../../scripts/env.ts"
import { Failed } from "../failure.ts"
import { variable } from "../flags.ts"
import { refuseUnignored } from "../gitTree.ts"

/** The required secrets, and what each is for. */
export const secretWords: Readonly<Record<string, string>> = {
  MASTER_KEY: "encrypts the accounts' keys",
  PLC_ROTATION_KEY: "changes the accounts' did:plc identities, overruled by recovery keys",
  ADMIN_PASSWORD: "the administrator's password"
}

/** The names of those secrets. */
export const secretNamesNeeded = Object.keys(secretWords)

/** The names of all secrets, optional ones last. */
export const secretNamesKnown = [
  ...secretNamesNeeded,
  "MASTER_KEY_PREVIOUS",
  "PLC_ROTATION_KEY_PREVIOUS",
  "RATE_LIMIT_BYPASS_KEY",
  "MAIL_HTTP_TOKEN"
]

/** The advice with a new master key. */
export const keepACopy =
  "Back up MASTER_KEY and PLC_ROTATION_KEY somewhere else. Without MASTER_KEY, no account can post again."

/** The file of the local server's secrets, as for `npm start`: next to wrangler.toml, or in DATA_DIR. */
export const varsFile = Effect.gen(function* () {
  const path = yield* Path.Path
  const folder = yield* variable("DATA_DIR")
  return folder === undefined || path.resolve(folder) === path.resolve(".data")
    ? path.resolve(".dev.vars")
    : path.resolve(folder, ".dev.vars")
})

const failedFor = (file: string) => (cause: unknown) =>
  new Failed({
    message: `Couldn't use ${file}: ${cause instanceof Error ? cause.message : String(cause)}`
  })

/** The variables of a file; none if it doesn't exist. */
export const readVars = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.orElseSucceed(files.readFileString(file), () => "")
  return parseVars(text)
})

/**
 * Creates the missing secrets in the file and changes none; refuses a file that git would commit.
 */
export const makeSecrets = Effect.fnUntraced(function* (file: string) {
  yield* refuseUnignored(file)
  return yield* Effect.try({ try: () => loadSecrets(file), catch: failedFor(file) })
})

/** Sets variables of the file, or removes those that are undefined; others stay as they are. */
export const setVars = Effect.fnUntraced(function* (
  file: string,
  values: Readonly<Record<string, string | undefined>>
) {
  const files = yield* FileSystem.FileSystem
  const before = yield* Effect.orElseSucceed(files.readFileString(file), () => "")
  const kept = before
    .split("\n")
    .filter((line) => !Object.hasOwn(values, /^\s*([A-Za-z_]\w*)\s*=/.exec(line)?.[1] ?? ""))
    .join("\n")
    .replace(/\n*$/, "")
  const lines = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`]
  )
  const text = `${[kept, ...lines].filter((line) => line !== "").join("\n")}\n`
  yield* Effect.try({ try: () => writePrivate(file, text), catch: failedFor(file) })
})
