/** Reads and bundles a Worker, and the script that starts it, once for all the servers that this process starts. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { build } from "./build.ts"
import { loadTool, wranglerFile } from "./project.ts"
import { readWrangler } from "./server.ts"

/** How `scripts/start.ts` starts in a fraction of the time. */
interface Built {
  readonly script: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

const startScript = join(import.meta.dirname, "start.ts")

/** The start script in one file, which behaves as if it were in its own place. */
const bundleStart = async (outfile: string): Promise<void> => {
  const { build: esbuild } = await loadTool("esbuild")
  await esbuild({
    entryPoints: [startScript],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    mainFields: ["module", "main"],
    define: {
      "import.meta.dirname": JSON.stringify(import.meta.dirname),
      "import.meta.filename": JSON.stringify(startScript),
      "import.meta.url": JSON.stringify(pathToFileURL(startScript).href),
      "import.meta.main": "false"
    },
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url)'
    },
    logLevel: "error"
  })
}

const built = async (config: string): Promise<Built> => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-built-"))
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
  const script = join(folder, "start.mjs")
  const file = join(folder, "built.json")
  const { main, ...wrangler } = await readWrangler(config)
  const [{ code }] = await Promise.all([build({ entry: main }), bundleStart(script)])
  writeFileSync(file, JSON.stringify({ ...wrangler, code }))
  return {
    script,
    args: ["--built", file],
    env: { NODE_COMPILE_CACHE: join(folder, "compiled") }
  }
}

const once = new Map<string, Promise<Built>>()

/** The start script with its reading, bundling and compiling done, which take most of a start. */
export const builtOnce = async (config = wranglerFile()): Promise<Built> => {
  const made = once.get(config) ?? built(config)
  once.set(config, made)
  return made
}
