import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Toml from "effect/encoding/Toml"
import * as Result from "effect/Result"
import { type ParseError, parse } from "jsonc-parser"

/** The possible names of wrangler's configuration, in wrangler's order of preference. */
const names = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"]

/** The name of the project's wrangler configuration, or the default name of a new one. */
export const findConfigFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  for (const name of names) {
    if (yield* Effect.orElseSucceed(files.exists(name), () => false)) return name
  }
  return "wrangler.jsonc"
})

/** Whether a configuration is JSON, with comments and trailing commas. */
export const isJson = (file: string): boolean => !file.endsWith(".toml")

const parseJson = (text: string): Result.Result<unknown, { readonly message: string }> => {
  const errors: Array<ParseError> = []
  const content: unknown = parse(text, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first === undefined) return Result.succeed(content)
  const line = text.slice(0, first.offset).split("\n").length
  return Result.fail({ message: `line ${line} isn't valid JSON` })
}

/** Reads a configuration's text as plain values. */
export const parseConfig = (
  file: string,
  text: string
): Result.Result<unknown, { readonly message: string }> =>
  isJson(file)
    ? parseJson(text)
    : Result.map(Toml.parse(text), (content): unknown => JSON.parse(JSON.stringify(content)))
