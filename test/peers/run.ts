#!/usr/bin/env node
/**
 * npm run peers: installs the reference PDS and the PLC directory server beside their tests, and runs these.
 *
 * The reference's SQLite addon is built for one version of Node: npm's own, whose headers are installed. If the
 * build isn't possible, the tests are skipped with a message; in CI that is a failure.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"

const here = import.meta.dirname
const root = join(here, "../..")
const node = process.env["npm_node_execpath"] ?? process.execPath
// npm puts the project's Node first on the path, but the addon is built for npm's own.
const ownPath = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
const env = {
  ...process.env,
  PATH: [dirname(node), ...ownPath].join(delimiter),
  // The tests store only a few records: a fast build matters more than a fast SQLite.
  CFLAGS: "-O0",
  CXXFLAGS: "-O0"
}

/** Whether the reference loads, including its addon. */
const loads = () =>
  existsSync(join(here, "node_modules/@atproto/pds")) &&
  spawnSync(
    node,
    [
      "-e",
      'require("@atproto/pds"); require("@did-plc/server"); new (require("better-sqlite3"))(":memory:")'
    ],
    { cwd: here, env, stdio: "ignore" }
  ).status === 0

const install = () => {
  console.log(
    "Installing the reference PDS for the tests of migrations; its addon takes a minute or two to build."
  )
  const npm = process.env["npm_execpath"]
  const [command, ...first] = npm === undefined ? (["npm"] as const) : ([node, npm] as const)
  const { status, stdout, stderr } = spawnSync(
    command,
    [...first, "ci", "--no-audit", "--no-fund", "--prefix", here],
    { cwd: here, env, encoding: "utf8" }
  )
  return status === 0 ? undefined : `${stdout}${stderr}`.trim().split("\n").slice(-20).join("\n")
}

let problem
if (!loads()) {
  problem = install()
  if (problem === undefined && !loads()) problem = "What was installed does not load."
}
if (problem !== undefined) {
  console.error(problem)
  console.error(
    "\ntest/peers is LEFT OUT: the reference PDS cannot be built here. It needs Python, make, a C++ compiler and the headers of this Node."
  )
  process.exit(process.env["CI"] === undefined ? 0 : 1)
}
const { status } = spawnSync(
  join(root, "node_modules/.bin/node"),
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--config",
    join(here, "vitest.config.ts"),
    ...process.argv.slice(2)
  ],
  { cwd: root, env: { ...process.env, PEERS_NODE: node }, stdio: "inherit" }
)
process.exit(status ?? 1)
