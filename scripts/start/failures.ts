import { resolve } from "node:path"
import { root } from "../project.ts"

/** A start that a person can make right; its message says how. */
export class Refused extends Error {}

/** The code of a failure of Node, such as ENOENT. */
export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : undefined
}

export const messageOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause)

/** What a failure says to a person: which folder is full or cannot be written, and what to do. */
export function inWords(cause: Error): string {
  const { message } = cause
  const code = codeOf(cause)
  const folder = resolve(root, process.env["DATA_DIR"] || ".data")
  if (code === "ENOSPC") return `The disk of ${folder} is full. Free some space and start again.`
  if (code === "EROFS" || code === "EACCES") {
    return `Couldn't write to ${folder} (${message}). Choose another folder with DATA_DIR.`
  }
  return message
}
