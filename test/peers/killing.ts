import { spawn } from "node:child_process"
import { join } from "node:path"
import type { Desk } from "../cli/command.ts"

const program = join(import.meta.dirname, "../../src/cli.ts")

/** Runs the command, and kills it as soon as its messages match; returns whether they did. */
export const killWhen = (
  { folder }: Desk,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  matches: RegExp
): Promise<{ readonly killed: boolean; readonly stderr: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: folder,
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["ignore", "ignore", "pipe"]
    })
    let stderr = ""
    child.stderr.on("data", (chunk) => {
      stderr += chunk
      if (matches.test(stderr)) child.kill("SIGKILL")
    })
    child.once("error", reject)
    child.once("close", (_, signal) => resolve({ killed: signal === "SIGKILL", stderr }))
  })
