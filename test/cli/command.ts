import { spawn } from "node:child_process"
import { buildSync } from "esbuild"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestServer } from "../support/server/server.ts"

/** The result of a run of the command. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Its output, parsed as JSON. */
  // SAFETY: each test knows what it asked for, and asserts on it.
  readonly json: any
}

/** A folder in which the real command runs without a terminal. */
export interface Desk {
  readonly folder: string
  readonly path: (name: string) => string
  run(args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>): Promise<Ran>
  remove(): void
}

const made = mkdtempSync(join(tmpdir(), "nacre-command-"))
process.once("exit", () => rmSync(made, { recursive: true, force: true }))

/**
 * The command bundled into one file: it starts four times as fast as from its sources, and tests
 * start it often.
 */
const program = join(made, "nacre.mjs")
buildSync({
  entryPoints: [join(import.meta.dirname, "../../src/cli.ts")],
  outfile: program,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22",
  mainFields: ["module", "main"],
  // The local server, which these tests start themselves, and the server of a drill.
  external: ["../scripts/start.ts", "./drill.ts"],
  banner: {
    js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url)'
  },
  logLevel: "error"
})

/** An environment without settings of the machine that runs the tests. */
const bare = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(NACRE_|DATA_DIR|PLC_URL|DOH_URL|FORCE_)/.test(name)
    )
  ),
  NODE_COMPILE_CACHE: join(made, "compiled")
}

/** Creates an empty folder, or one with a local server. */
export const makeDesk = (server?: TestServer): Desk => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-cli-"))
  const path = (name: string) => join(folder, name)
  if (server !== undefined) {
    mkdirSync(path(".data"))
    const plcPort = Number(new URL(server.plcUrl).port)
    writeFileSync(
      path(".data/server.json"),
      JSON.stringify({ publicUrl: server.publicUrl, plcPort })
    )
    writeFileSync(path(".data/account.json"), JSON.stringify(server.account))
  }
  return {
    folder,
    path,
    run: (args, env = {}) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [program, ...args], {
          cwd: folder,
          env: { ...bare, NACRE_CONFIG_DIR: path("settings"), ...env },
          stdio: ["ignore", "pipe", "pipe"]
        })
        let stdout = ""
        let stderr = ""
        child.stdout.on("data", (chunk) => (stdout += chunk))
        child.stderr.on("data", (chunk) => (stderr += chunk))
        child.once("error", reject)
        child.once("close", (code) =>
          resolve({
            code,
            stdout,
            stderr,
            get json() {
              return JSON.parse(stdout)
            }
          })
        )
      }),
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs the command, and interrupts it with Ctrl-C's signal when its messages match. */
export const stopWhen = (
  { folder, path }: Desk,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  matches: RegExp
): Promise<{ readonly code: number | null; readonly stderr: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: folder,
      env: { ...bare, NACRE_CONFIG_DIR: path("settings"), ...env },
      stdio: ["ignore", "ignore", "pipe"]
    })
    let stderr = ""
    let isStopped = false
    child.stderr.on("data", (chunk) => {
      stderr += chunk
      if (isStopped || !matches.test(stderr)) return
      isStopped = true
      child.kill("SIGINT")
    })
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, stderr }))
  })
