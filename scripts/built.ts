/** Reads and bundles a Worker, and the script that starts it, once for all the servers of all processes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { build } from "./build.ts"
import { loadTool, wranglerFile } from "./project.ts"
import { readWrangler } from "./server.ts"
import { sharedFolder } from "./sharedFolder.ts"

/** How `scripts/start.ts` starts in a fraction of the time. */
interface Built {
  /** The file of the Worker's settings and code, as JSON. */
  readonly file: string
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

const make = async (config: string, folder: string): Promise<void> => {
  const { main, ...wrangler } = await readWrangler(config)
  const [{ code }] = await Promise.all([
    build({ entry: main }),
    bundleStart(join(folder, "start.mjs"))
  ])
  writeFileSync(join(folder, "built.json"), JSON.stringify({ ...wrangler, code }))
}

/** A folder of this process alone, for a Worker that may stand outside of the project. */
const ownFolder = async (config: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-built-"))
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
  await make(config, folder)
  return folder
}

const built = async (config: string): Promise<Built> => {
  const folder =
    config === wranglerFile()
      ? await sharedFolder("server", (shared) => make(config, shared))
      : await ownFolder(config)
  const file = join(folder, "built.json")
  return {
    file,
    script: join(folder, "start.mjs"),
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
