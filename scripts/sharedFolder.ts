/** Folders with bundles of the project's sources, which all processes that need them share. */
import { createHash } from "node:crypto"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { root, wranglerFile } from "./project.ts"
import { isRunning } from "./server.ts"
import { codeOf } from "./start/failures.ts"

const cache = join(root, "node_modules/.cache/shared")

/** The sources and settings; npm writes the lock file, which names every package. */
const parts = ["src", "scripts", "package.json", "tsconfig.json", "node_modules/.package-lock.json"]

/** Changes with the place and the contents of all that can be in a bundle. */
const fingerprint = (): string => {
  const hash = createHash("sha256").update(`${root}\0${process.version}`)
  const add = (file: string): void => {
    const bytes = readFileSync(file)
    hash.update(`\0${file}\0${bytes.length}\0`).update(bytes)
  }
  for (const path of [wranglerFile(), ...parts.map((part) => join(root, part))]) {
    if (!existsSync(path)) continue
    if (!statSync(path).isDirectory()) add(path)
    else {
      const inside = readdirSync(path, { recursive: true, withFileTypes: true })
      const files = inside.filter((one) => one.isFile())
      for (const file of files.map((one) => join(one.parentPath, one.name)).toSorted()) add(file)
    }
  }
  return hash.digest("hex").slice(0, 32)
}

/** Takes the lock; one that its process left behind is free for the next try. */
const take = (lock: string): boolean => {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" })
    return true
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause
  }
  try {
    const isHeld = isRunning(Number(readFileSync(lock, "utf8")), "node")
    if (!isHeld || Date.now() - statSync(lock).mtimeMs > 120_000) rmSync(lock, { force: true })
  } catch (cause) {
    // Its process has just released it.
    if (codeOf(cause) !== "ENOENT") throw cause
  }
  return false
}

/** Deletes what older sources left; a day old, no run uses it. */
const sweep = (): void => {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age > 86_400_000) rmSync(path, { recursive: true, force: true })
  }
}

/**
 * The folder that `make` fills, which happens once for the same sources, however many processes ask.
 *
 * A process that asks while another makes it waits; a folder under its final name is complete.
 */
export const sharedFolder = async (
  name: string,
  make: (folder: string) => Promise<void>
): Promise<string> => {
  const folder = join(cache, `${name}-${fingerprint()}`)
  const lock = `${folder}.lock`
  mkdirSync(cache, { recursive: true })
  while (!existsSync(folder)) {
    if (!take(lock)) {
      await pause(100)
      continue
    }
    const draft = mkdtempSync(`${folder}.`)
    try {
      if (existsSync(folder)) continue
      await make(draft)
      // A process that was slow may have been overtaken.
      if (!existsSync(folder)) renameSync(draft, folder)
      sweep()
    } finally {
      rmSync(draft, { recursive: true, force: true })
      rmSync(lock, { force: true })
    }
  }
  const now = new Date()
  utimesSync(folder, now, now)
  return folder
}
