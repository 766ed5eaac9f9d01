/**
 * `npm run proof`: tests the packed packages as a person would use them, and `nacre/repo` in
 * every runtime.
 *
 * `--no-build` uses the existing packages in `dist/`; `library` or `ownership` runs only that part.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { runLibrary } from "./proof/library.ts"
import { ownProject } from "./proof/ownership.ts"

const root = join(import.meta.dirname, "..")
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "no-build": { type: "boolean", default: false } }
})
const isChosen = (name: string) => positionals.length === 0 || positionals.includes(name)

if (!values["no-build"]) {
  execFileSync(process.execPath, [join(root, "scripts/package.ts")], { stdio: "inherit" })
}
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const built = join(root, "dist/nacre")
const folder = mkdtempSync(join(tmpdir(), "nacre-proof-"))
let from = performance.now()
const tell = (step: string): void => {
  const now = performance.now()
  console.log(`✓ ${step} (${((now - from) / 1000).toFixed(1)} s)`)
  from = now
}
try {
  if (isChosen("library"))
    tell(`nacre/repo in Node, workerd and Chromium: ${await runLibrary(join(built, "dist"))}`)
  if (isChosen("ownership")) {
    await ownProject(folder, {
      built,
      create: join(root, `dist/create-nacre-${version}.tgz`),
      nacre: join(root, `dist/nacre-${version}.tgz`),
      tell,
      version
    })
  }
} catch (cause) {
  // Only the message: a bundle's source is one line of a megabyte.
  console.error(`✗ ${cause instanceof Error ? cause.message : String(cause)}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
