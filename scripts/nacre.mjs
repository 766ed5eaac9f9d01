#!/usr/bin/env node
/** The `nacre` command: on this Node if it reads TypeScript, else on the one that npm installed. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const program = join(root, "src/cli.ts")

if (process.features.typescript) {
  await import(program)
} else {
  const node = join(root, "node_modules/.bin/node")
  const { status, error } = spawnSync(node, [program, ...process.argv.slice(2)], {
    stdio: "inherit"
  })
  if (error !== undefined) {
    console.error(
      `The nacre command needs Node 22.18 or newer. Run npm ci in ${root} to install it.`
    )
  }
  process.exit(status ?? 1)
}
