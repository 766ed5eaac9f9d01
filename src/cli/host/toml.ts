import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { Failed } from "../failure.ts"

const file = "wrangler.toml"

const cannot = (what: string) => (error: { readonly message: string }) =>
  new Failed({
    message: `${file} cannot be ${what}: ${error.message}`,
    next: "Run this in the folder of the project."
  })

const read = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return yield* Effect.mapError(files.readFileString(file), cannot("read"))
})

/** A variable of the top-level `[vars]` in wrangler.toml. */
export const declaredVariable = Effect.fnUntraced(function* (name: string) {
  const vars = /^\[vars\]\s*$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(yield* read)?.[1] ?? ""
  return new RegExp(`^\\s*${name}\\s*=\\s*["']([^"']*)["']`, "m").exec(vars)?.[1]
})

/** Puts variables into wrangler.toml; false where it has `[vars]` already, which only its owner changes. */
export const declareVariables = Effect.fnUntraced(function* (
  values: Readonly<Record<string, string>>
) {
  const files = yield* FileSystem.FileSystem
  const before = yield* read
  if (/^\[vars\]/m.test(before)) return false
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  const text = `${before.trimEnd()}\n\n[vars]\n${lines.join("\n")}\n`
  yield* Effect.mapError(files.writeFileString(file, text), cannot("written"))
  return true
})
