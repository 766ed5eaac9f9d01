/**
 * `npm run docs`: writes the reference pages from the declarations in code. `--check` fails if
 * one is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { cli } from "./reference/cli.ts"
import { configuration } from "./reference/configuration.ts"
import { endpoints } from "./reference/endpoints.ts"
import { errors } from "./reference/errors.ts"
import { limits } from "./reference/limits.ts"
import { routes } from "./reference/routes.ts"
import { storage } from "./reference/storage.ts"

const folder = join(import.meta.dirname, "../docs/reference")

const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  "cli.md": cli,
  "configuration.md": configuration,
  "endpoints.md": endpoints,
  "errors.md": errors,
  "limits.md": limits,
  "routes.md": routes,
  "storage.md": storage
}

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

/** The pages that don't match the code. */
export const stalePages = async (): Promise<ReadonlyArray<string>> => {
  const stale: Array<string> = []
  for (const [name, write] of Object.entries(pages)) {
    if (read(join(folder, name)) !== (await write())) stale.push(`docs/reference/${name}`)
  }
  return stale
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--check")) {
    const stale = await stalePages()
    for (const name of stale) console.error(`${name} is stale: run \`npm run docs\``)
    process.exitCode = stale.length === 0 ? 0 : 1
  } else {
    for (const [name, write] of Object.entries(pages)) {
      const file = join(folder, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, await write())
    }
  }
}
