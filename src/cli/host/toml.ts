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

/** The text with a route of the domain before its first table; one with routes, or a domain of Cloudflare's own, stays. */
const withRoute = (text: string, domain: string): string => {
  if (/^routes?\s*=/m.test(text) || domain.endsWith(".workers.dev")) return text
  const route = `routes = [{ pattern = ${JSON.stringify(domain)}, custom_domain = true }]\n\n`
  const at = text.search(/^\[/m)
  return at < 0
    ? `${text.trimEnd()}\n${route.trimEnd()}\n`
    : `${text.slice(0, at)}${route}${text.slice(at)}`
}

/** Puts the server's domain and variables into wrangler.toml; false where it has `[vars]` already, which only its owner changes. */
export const declareServer = Effect.fnUntraced(function* (
  domain: string,
  values: Readonly<Record<string, string>>
) {
  const files = yield* FileSystem.FileSystem
  const before = yield* read
  if (/^\[vars\]/m.test(before)) return false
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  const text = `${withRoute(before, domain).trimEnd()}\n\n[vars]\n${lines.join("\n")}\n`
  yield* Effect.mapError(files.writeFileString(file, text), cannot("written"))
  return true
})
