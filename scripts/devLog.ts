import { inWords, type LogEntry as Entry } from "../src/cli/host/logEntries.ts"
import type { LogEntry } from "./server.ts"

/** The forms of the local server's log. */
export const logFormats = ["pretty", "json"] as const
export type LogFormat = (typeof logFormats)[number]

const plain = { faint: (text: string) => text, bad: (text: string) => text }
const coloured = {
  faint: (text: string) => `\u001B[2m${text}\u001B[22m`,
  bad: (text: string) => `\u001B[31m${text}\u001B[39m`
}

const entryOf = (message: string): Entry | undefined => {
  try {
    const entry = JSON.parse(message)
    return typeof entry === "object" && entry !== null && "level" in entry ? entry : undefined
  } catch {
    return undefined
  }
}

/** The short name of a method: `createRecord` of `com.atproto.repo.createRecord`. */
const shortOf = (method: unknown) =>
  typeof method === "string" && !method.startsWith("/") ? method.split(".").at(-1) : method

/** A line of the log for people, without its request's id and its method's namespace. */
export const lineFor = (
  message: string,
  { hasColours }: { readonly hasColours: boolean }
): string => {
  const entry = entryOf(message)
  if (entry === undefined) return message
  // SAFETY: the server annotates its entries with a record, or not at all.
  const annotated = (entry["annotations"] ?? {}) as Readonly<Record<string, unknown>>
  const { id: _, method, ...annotations } = annotated
  const named = method === undefined ? {} : { method: shortOf(method) }
  const shown = { ...entry, annotations: { ...annotations, ...named } }
  return inWords(shown, hasColours ? coloured : plain)
}

/** Prints the log for people, or unchanged. */
export const printLog =
  (format: LogFormat) =>
  ({ level, message }: LogEntry): void => {
    const stream = level === "error" || level === "warn" ? process.stderr : process.stdout
    const hasColours = stream.isTTY === true && !process.env["NO_COLOR"]
    stream.write(`${format === "pretty" ? lineFor(message, { hasColours }) : message}\n`)
  }
