import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundledCommand } from "../support/server/bundledCommand.ts"
import type { TestServer } from "../support/server/server.ts"
import { runTyping } from "./typing.ts"

/** The result of a run of the command. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Its output, parsed as JSON. */
  // SAFETY: each test knows what it asked for, and asserts on it.
  readonly json: any
}

type Environment = Readonly<Record<string, string>>

/** A folder in which the command runs without a terminal. */
export interface Desk {
  readonly folder: string
  readonly path: (name: string) => string
  /** The pauses before repeated calls that runs in this process have made, in milliseconds, without waiting. */
  readonly pauses: ReadonlyArray<number>
  /** Runs the command in this process, which takes milliseconds. */
  run(args: ReadonlyArray<string>, env?: Environment): Promise<Ran>
  /** Runs it as the program that people start, in a process of its own. */
  spawn(args: ReadonlyArray<string>, env?: Environment): Promise<Ran>
  remove(): void
}

/** An environment without settings of the machine that runs the tests. */
const bare: Environment = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || /^(NACRE_|DATA_DIR|PLC_URL|DOH_URL|FORCE_)/.test(name)
      ? []
      : [[name, value]]
  )
)

const withJson = (ran: {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}): Ran => ({
  ...ran,
  get json() {
    return JSON.parse(ran.stdout)
  }
})

/** Runs the program; `hears` gets its messages so far and may end it by a signal. */
const spawned = async (
  folder: string,
  args: ReadonlyArray<string>,
  env: Environment,
  hears: (stderr: string) => NodeJS.Signals | undefined = () => undefined
): Promise<Ran> => {
  const command = await bundledCommand()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command.program, ...args], {
      cwd: folder,
      env: {
        ...bare,
        ...command.env,
        NACRE_CONFIG_DIR: join(folder, "settings"),
        ...env
      },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    child.stderr.on("data", (chunk) => {
      stderr += chunk
      const signal = child.killed ? undefined : hears(stderr)
      if (signal !== undefined) child.kill(signal)
    })
    child.once("error", reject)
    child.once("close", (code) => resolve(withJson({ code, stdout, stderr })))
  })
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
  const pauses: Array<number> = []
  return {
    folder,
    path,
    pauses,
    run: async (args, env = {}) => {
      const { code, stdout, stderr } = await runTyping(args, {
        env: { ...bare, NACRE_CONFIG_DIR: path("settings"), ...env },
        folder,
        pauses
      })
      return withJson({ code, stdout: stdout === "" ? "" : `${stdout}\n`, stderr })
    },
    spawn: (args, env = {}) => spawned(folder, args, env),
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs the program, and sends it a signal when its messages match; by default Ctrl-C's. */
export const stopWhen = (
  { folder }: Desk,
  args: ReadonlyArray<string>,
  env: Environment,
  matches: RegExp,
  signal: NodeJS.Signals = "SIGINT"
): Promise<Ran> =>
  spawned(folder, args, env, (stderr) => (matches.test(stderr) ? signal : undefined))
