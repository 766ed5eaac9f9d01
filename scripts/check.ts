/**
 * npm run check: types with Effect's diagnostics, lint, format, the architecture's walls, and
 * whether the reference pages match the code.
 *
 * Everything runs; the exit code is 1 after any failure or warning.
 */
import { execFileSync, spawn } from "node:child_process"
import { join } from "node:path"
import { root } from "./build.ts"
import { writeSnippets } from "./snippets.ts"
import { breachesOf, readSources } from "./walls.ts"

const bin = (name: string): string => join(root, "node_modules/.bin", name)

interface Outcome {
  readonly ok: boolean
  readonly output: string
}

const run = (command: string, args: ReadonlyArray<string>) =>
  new Promise<Outcome>((done) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    child.stdout.on("data", (chunk) => (output += chunk))
    child.stderr.on("data", (chunk) => (output += chunk))
    child.on("error", (cause) => done({ ok: false, output: String(cause) }))
    child.on("close", (code) => done({ ok: code === 0, output }))
  })

/** The compiler with Effect's diagnostics built in; its suggestions are only counted. */
const types = async (): Promise<Outcome> => {
  writeSnippets()
  const compiler = execFileSync(bin("effect-tsgo"), ["get-exe-path"], { encoding: "utf8" }).trim()
  const { ok, output } = await run(compiler, [
    "--noEmit",
    // A second run compiles only what has changed.
    "--incremental",
    "--tsBuildInfoFile",
    "node_modules/.cache/check.tsbuildinfo",
    // Its own choice of four repeats a third of the work.
    "--checkers",
    "2",
    "--pretty",
    "false",
    "-p",
    "tsconfig.check.json"
  ])
  const lines = output.split("\n")
  const errors = lines.filter((line) => /\b(?:error|warning) TS/.test(line)).length
  const hints = /\b(?:message|suggestion) TS/
  const shown = lines.filter((line) => !hints.test(line))
  const hidden = lines.length - shown.length
  if (hidden > 0) shown.push(`(${hidden} suggestions not shown)`)
  const suggested = hints.test(output)
  return { ok: errors === 0 && (ok || suggested), output: shown.join("\n") }
}

const walls = async (): Promise<Outcome> => {
  const breaches = breachesOf(readSources(join(root, "src")))
  return { ok: breaches.length === 0, output: breaches.join("\n") }
}

const steps: ReadonlyArray<readonly [name: string, step: () => Promise<Outcome>]> = [
  ["types", types],
  ["lint", () => run(bin("oxlint"), ["--deny-warnings"])],
  ["format", () => run(bin("oxfmt"), ["--check"])],
  ["walls", walls],
  ["docs", () => run(process.execPath, ["scripts/docs.ts", "--check"])]
]

let failed = 0
for (const [name, step] of steps) {
  const { ok, output } = await step()
  if (!ok) failed += 1
  const text = output.trim()
  console.log(
    `${ok ? "✓" : "✗"} ${name}${text === "" || (ok && name === "format") ? "" : `\n${text}`}`
  )
}
process.exitCode = failed === 0 ? 0 : 1
