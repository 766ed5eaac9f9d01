/** What `nacre serve` says when it can't start: what happened, and what to do. */
import { existsSync } from "node:fs"
import { StoredByNewerVersion } from "../../src/core/host/schemaVersion.ts"
import { nacre } from "../project.ts"
import { codeOf } from "../start/failures.ts"
import type { ServeSettings } from "./settings.ts"

/** The data belongs to another address. */
export const otherAddress =
  "A server's address can't change. Set PUBLIC_URL to the old one, or use another folder with --data."

/** The data needs another master key. */
export const otherKey =
  "Set MASTER_KEY to the old one, from your copy of nacre.env. Without a copy, only a backup of the accounts helps."

/** Where to correct the configuration, or how to create it. */
export const whereToCorrect = ({ folder, file }: Pick<ServeSettings, "folder" | "file">): string =>
  existsSync(file)
    ? `Correct it in ${file}, or in the environment.`
    : `There is no file ${file}. This makes it: ${nacre} init --target box --data ${folder}`

const full = "The disk is full. Free some space and start again."
const foreign =
  "Start the server as the user who owns the data folder, or choose another with --data."
const damaged =
  "The file is damaged. Keep a copy of the folder, then restore the newest backup into an empty one: nacre restore."

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: full,
  EROFS: "Mount the disk for writing, or choose another folder with --data.",
  EACCES: foreign,
  EPERM: foreign,
  EADDRINUSE:
    "Another program uses this port. Stop it, or choose another port with --port or PORT.",
  EADDRNOTAVAIL: "This machine doesn't have the address of --host or HOST."
}

/** SQLite's primary result codes. */
const ofDatabase: Readonly<Record<number, string>> = {
  8: foreign,
  11: damaged,
  13: full,
  14: foreign,
  26: damaged
}

const reasonOf = (problem: Error, code: string): string | undefined =>
  "errcode" in problem && typeof problem.errcode === "number"
    ? ofDatabase[problem.errcode & 0xff]
    : reasons[code]

/** A failure of the machine in words; undefined for any other. */
export const inWords = (problem: unknown): string | undefined => {
  if (problem instanceof StoredByNewerVersion) return problem.message
  const code = codeOf(problem)
  if (code === undefined || !(problem instanceof Error)) return undefined
  const reason = reasonOf(problem, code)
  return reason === undefined ? problem.message : `${problem.message}\n${reason}`
}
