import { resolve } from "node:path"
import { root } from "../project.ts"

/** A start that a person can correct; its message says how. */
export class Refused extends Error {}

/** The error code of a failure in Node, such as ENOENT. */
export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : undefined
}

export const messageOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause)

/** A failure's message for people: which folder is full or not writable, and what to do. */
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
