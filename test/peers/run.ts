#!/usr/bin/env node
/**
 * npm run peers: installs the reference PDS and the PLC directory server beside their tests, and runs these.
 *
 * Stand-ins take the place of the packages that need a compiler or that no test uses: `standIns`.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { hasPackages } from "../../scripts/packages.ts"

const here = import.meta.dirname
const root = join(here, "../..")

/** Runs a program of this project; exits if it fails. */
const run = (program: string, ...args: ReadonlyArray<string>): void => {
  const { status } = spawnSync(program, args, { cwd: root, stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}

if (!hasPackages(here)) {
  console.log("Installing the reference PDS for the tests of migrations.")
  // What is optional is types and faster variants.
  run(
    "npm",
    "ci",
    "--prefix",
    here,
    "--ignore-scripts",
    "--omit=optional",
    "--no-audit",
    "--no-fund"
  )
}
run(
  process.execPath,
  join(root, "node_modules/vitest/vitest.mjs"),
  "run",
  "--config",
  join(here, "vitest.config.ts"),
  ...process.argv.slice(2)
)
