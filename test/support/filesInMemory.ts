import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs"
import { join } from "node:path"
import { isRunning } from "../../scripts/server.ts"

/** The file system in memory that Linux has. */
const memory = "/dev/shm"

/** More room than the files of all tests take, in bytes. */
const room = 1024 ** 3

const prefix = "nacre-tests-"

/**
 * Puts temporary files in memory until this process ends: servers sync each commit, and no test
 * cuts the power. Does nothing if `TMPDIR` is set, or where there is no such memory.
 */
export const keepFilesInMemory = (): void => {
  if (process.env["TMPDIR"] !== undefined || !existsSync(memory)) return
  const { bavail, bsize } = statfsSync(memory)
  if (bavail * bsize < room) return
  // What a killed run has left.
  for (const name of readdirSync(memory).filter((name) => name.startsWith(prefix))) {
    const pid = Number(name.slice(prefix.length).split("-")[0])
    if (!isRunning(pid, "vitest")) rmSync(join(memory, name), { recursive: true, force: true })
  }
  const folder = mkdtempSync(join(memory, `${prefix}${process.pid}-`))
  process.env["TMPDIR"] = folder
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
}
