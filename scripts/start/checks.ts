import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type LogFormat, logFormats } from "../devLog.ts"
import { fingerprint, isLocalAddress, parseVars, strayLines } from "../env.ts"
import { isInstalled, startCommand } from "../project.ts"
import { isFree, isRunning } from "../server.ts"
import { codeOf, messageOf, Refused } from "./failures.ts"

/** The notes of the last start, stored with the data. */
export interface Note {
  readonly publicUrl?: string
  readonly port?: number
  readonly plcPort?: number
  readonly masterKey?: string
  /** The bucket of the blobs, if they aren't files. */
  readonly blobs?: string
  readonly isUsed?: boolean
  readonly pid?: number
  readonly workerd?: number
}

/** The log's form; fails if it is unknown. */
export function formatOf(text: string | undefined): LogFormat {
  const format = logFormats.find((one) => one === text)
  if (format !== undefined) return format
  if (!text) return process.stdout.isTTY ? "pretty" : "json"
  throw new Refused(`LOG_FORMAT must be pretty or json, not "${text}".`)
}

/** The port as a number; fails if it is invalid. */
export function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65536) return port
  throw new Refused(`PORT must be a number between 1 and 65535, not "${text}".`)
}

/** The variables of a file; fails for a malformed line, which is most likely a mistake. */
export function varsOf(file: string): Record<string, string> {
  let text = ""
  try {
    text = readFileSync(file, "utf8")
  } catch (cause) {
    // Without a folder there is no file, either; makeFolder names the folder.
    if (!["ENOENT", "ENOTDIR"].includes(codeOf(cause) ?? "")) {
      throw new Refused(`Couldn't read ${file}: ${messageOf(cause)}`)
    }
  }
  for (const line of strayLines(text)) {
    console.warn(`Ignored line ${line} of ${file}: it isn't NAME=value.`)
  }
  return parseVars(text)
}

export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new Refused(`Couldn't use ${folder} as the data folder: ${messageOf(cause)}`)
  }
}

/** Fails if the folder isn't writable: the server would only return errors. */
export function tryFolder(folder: string): void {
  makeFolder(folder)
  const probe = join(folder, ".writable")
  try {
    writeFileSync(probe, "")
    rmSync(probe)
  } catch (cause) {
    throw codeOf(cause) === "ENOSPC"
      ? cause
      : new Refused(`Couldn't write to ${folder}: ${messageOf(cause)}`)
  }
}

/** The hosts of DEV_HOSTS; fails if they are invalid. */
export function hostsOf(text: string | undefined, publicUrl: string): Map<string, string> {
  const entries = (text ?? "").split(",").filter((entry) => entry.trim() !== "")
  if (entries.length > 0 && !isLocalAddress(publicUrl)) {
    throw new Refused(
      "DEV_HOSTS is for development and doesn't work while PUBLIC_URL is a public address."
    )
  }
  return new Map(
    entries.map((entry): [string, string] => {
      const [, host, target] =
        /^\s*([a-z0-9.-]+)=((?:127\.0\.0\.1|localhost):\d+)\s*$/.exec(entry) ?? []
      if (host !== undefined && target !== undefined) return [host, target]
      throw new Refused(
        `DEV_HOSTS must be host=127.0.0.1:port entries, separated by commas, not "${entry}".`
      )
    })
  )
}

/** What a local server's owner can do instead: start on the old port, or on an empty folder. */
export const localAddress = (note: Note, dataDir: string): string =>
  "The address is part of the first account's DID (did:web), so it can't change.\n" +
  `Start with the old address (PORT=${note.port ?? "…"}), or with an empty folder: DATA_DIR=${dataDir}-2 ${startCommand}`

/** Fails if the data belongs to another address; `next` says what to do. */
export function refuseMove(note: Note, publicUrl: string, dataDir: string, next: string): void {
  if (note.publicUrl === undefined || note.publicUrl === publicUrl) return
  throw new Refused(
    `The data in ${dataDir} belongs to ${note.publicUrl}, but this start uses ${publicUrl}.\n${next}`
  )
}

/** What a local server's owner can do instead: restore the old secrets, or use an empty folder. */
export const localKey = (dataDir: string): string =>
  `Restore the old .dev.vars, or start with an empty folder: DATA_DIR=${dataDir}-2 ${startCommand}`

/**
 * The accounts' keys are encrypted with the master key and can't sign with another one, unless a
 * rotation replaces it. `next` says what to do.
 */
export function refuseOtherKey(
  note: Note,
  keys: Readonly<Record<string, string | undefined>>,
  dataDir: string,
  varsFile: string,
  next: string
): void {
  const held = [keys["MASTER_KEY"], keys["MASTER_KEY_PREVIOUS"]].map(fingerprint)
  if (note.masterKey === undefined || held.includes(note.masterKey)) return
  throw new Refused(
    `The data in ${dataDir} was created with another MASTER_KEY than the one in ${varsFile}.\n` +
      `Without it, the server can't read the accounts' signing keys, and nobody can post.\n${next}`
  )
}

/** Fails if the blobs are in a bucket that the configuration doesn't name any more. */
export function refuseOtherBlobs(note: Note, blobs: string | undefined, noteFile: string): void {
  if (note.blobs === undefined || note.blobs === blobs) return
  throw new Refused(
    `The blobs of this server are in ${note.blobs}, but BLOB_S3_URL ${blobs === undefined ? "isn't set" : `is ${blobs}`}.\n` +
      `Set it to the old address. If you have copied every object to the new one, change "blobs" in ${noteFile}.`
  )
}

/** Ends the processes of a killed start; fails next to a running server or an occupied port. */
export async function refuseTwice(note: Note, port: number, dataDir: string): Promise<void> {
  if (
    note.pid !== undefined &&
    note.pid !== process.pid &&
    isRunning(note.pid, isInstalled ? "nacre" : "scripts/start.")
  ) {
    throw new Refused(
      `A server is already running on the data in ${dataDir} (process ${note.pid}, ${note.publicUrl}).`
    )
  }
  if (note.workerd !== undefined && isRunning(note.workerd, "workerd")) {
    process.kill(note.workerd, "SIGKILL")
  }
  for (let tries = 0; !(await isFree(port)); tries++) {
    if (tries === 20) {
      throw new Refused(
        `Another program is using port ${port} of 127.0.0.1. Stop it, or choose another port\n` +
          `and data folder: PORT=${port + 1} DATA_DIR=.data-${port + 1} ${startCommand}`
      )
    }
    await new Promise((done) => setTimeout(done, 100))
  }
}

/** The note of the last start; moves a broken one aside. */
export function readNote(file: string): Note | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch {
    renameSync(file, `${file}.broken`)
    rmSync(`${file}.new`, { force: true })
    return undefined
  }
}
