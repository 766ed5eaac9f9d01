import { isDeepStrictEqual } from "node:util"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { isJurisdiction } from "../../core/host/settings.ts"
import { Failed } from "../failure.ts"
import { type Needs, withNeeds } from "./additions.ts"
import { contentOf, sectionIn, writeConfig } from "./declare.ts"
import type { Environment } from "./environment.ts"

const crons = ["*/5 * * * *"]

/** What an environment lacks of it. */
const needsOf = ({ isWoken, section, worker }: Environment): Needs => {
  const location = section.vars?.["DATA_LOCATION"]
  const isBound = section.r2_buckets?.some(({ binding }) => binding === "BACKUPS") === true
  const isElsewhere = section.vars?.["BACKUP_S3_URL"] !== undefined
  const bucket = {
    binding: "BACKUPS",
    bucket_name: `${worker}-backups`,
    ...(typeof location === "string" && isJurisdiction(location) ? { jurisdiction: location } : {})
  }
  return { ...(isBound || isElsewhere ? {} : { bucket }), ...(isWoken ? {} : { crons }) }
}

/** The needs in words. */
const needWords = ({ bucket, crons: times }: Needs): ReadonlyArray<string> => [
  ...(bucket === undefined ? [] : [`the bucket ${bucket["bucket_name"]} for nightly backups`]),
  ...(times === undefined ? [] : [`the cron trigger ${times.join(", ")}, which starts them`])
]

/** Adds what an environment lacks to its configuration; keeps every other line and comment. Gives what was added, in words. */
export const addNeeds = Effect.fn("cli.addNeeds")(function* (environment: Environment) {
  const files = yield* FileSystem.FileSystem
  const { file, name } = environment
  const needs = needsOf(environment)
  const words = needWords(needs)
  if (words.length === 0) return words
  const before = yield* Effect.mapError(
    files.readFileString(file),
    ({ message }) => new Failed({ message: `Couldn't read ${file}: ${message}` })
  )
  const expected = contentOf(file, before)
  const section = sectionIn(expected, name)
  if (section === undefined) return []
  if (needs.bucket !== undefined) {
    const there = section["r2_buckets"]
    section["r2_buckets"] = [...(Array.isArray(there) ? there : []), needs.bucket]
  }
  if (needs.crons !== undefined) section["triggers"] = { crons: needs.crons }
  const after = withNeeds(before, environment, needs)
  if (isDeepStrictEqual(contentOf(file, after), expected)) {
    yield* writeConfig(file, after)
    return words
  }
  return yield* new Failed({
    message: `This command can't edit ${file} the way it is written. Nothing was changed`,
    next: `Add this to it yourself, for ${name}:\n${JSON.stringify(needs, null, 2)}`
  })
})
