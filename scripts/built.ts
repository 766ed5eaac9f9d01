/** Reads and bundles a Worker once for all the servers that this process starts. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build } from "./build.ts"
import { wranglerFile } from "./project.ts"
import { readWrangler } from "./server.ts"

const built = async (config: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-built-"))
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
  const { main, ...wrangler } = await readWrangler(config)
  const { code } = await build({ entry: main })
  const file = join(folder, "built.json")
  writeFileSync(file, JSON.stringify({ ...wrangler, code }))
  return file
}

const once = new Map<string, Promise<string>>()

/** Arguments of `scripts/start.ts` that save it the reading and bundling, which take most of a start. */
export const builtOnce = async (config = wranglerFile()): Promise<ReadonlyArray<string>> => {
  const file = once.get(config) ?? built(config)
  once.set(config, file)
  return ["--built", await file]
}
