/** What `nacre serve` says when it can't start: what happened, and what to do. */
import { existsSync } from "node:fs"
import { nacre } from "../project.ts"
import { codeOf } from "../start/failures.ts"
import type { ServeSettings } from "./settings.ts"

/** The data belongs to another address. */
export const otherAddress =
  "A server's address can't change. Set PUBLIC_URL to the old one, or use another folder with --data."

/** The data needs another master key. */
export const otherKey =
  "Set MASTER_KEY to the old one, from your copy of nacre.env. Without a copy, only a backup of the accounts helps."

/** Where the configuration is corrected, or how it is made. */
export const whereToCorrect = ({ folder, file }: Pick<ServeSettings, "folder" | "file">): string =>
  existsSync(file)
    ? `Correct it in ${file}, or in the environment.`
    : `There is no file ${file}. This makes it: ${nacre} init --target box --data ${folder}`

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full. Free some space and start again.",
  EROFS: "Mount the disk so that the server can write to it, or choose another folder with --data.",
  EACCES: "Start the server as the user who owns the data folder, or choose another with --data.",
  EADDRINUSE:
    "Another program uses this port. Stop it, or choose another port with --port or PORT.",
  EADDRNOTAVAIL: "This machine doesn't have the address of --host or HOST."
}

/** A failure of the machine in words; undefined for any other. */
export const inWords = (problem: unknown): string | undefined => {
  const code = codeOf(problem)
  if (code === undefined || !(problem instanceof Error)) return undefined
  const reason = reasons[code === "EPERM" ? "EACCES" : code]
  return reason === undefined ? problem.message : `${problem.message}\n${reason}`
}
