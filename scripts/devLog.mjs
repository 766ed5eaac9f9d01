import { inWords } from "../src/cli/host/logEntries.ts"

/** The forms of the local server's log. */
export const logFormats = ["pretty", "json"]

const plain = { faint: (text) => text, bad: (text) => text }
const coloured = {
  faint: (text) => `\u001B[2m${text}\u001B[22m`,
  bad: (text) => `\u001B[31m${text}\u001B[39m`
}

const entryOf = (message) => {
  try {
    const entry = JSON.parse(message)
    return typeof entry === "object" && entry !== null && "level" in entry ? entry : undefined
  } catch {
    return undefined
  }
}

/** The short name of a method: `createRecord` of `com.atproto.repo.createRecord`. */
const shortOf = (method) =>
  typeof method === "string" && !method.startsWith("/") ? method.split(".").at(-1) : method

/** A line of the log for people: its request's id and the namespace of its method are left out. */
export const lineFor = (message, { hasColours }) => {
  const entry = entryOf(message)
  if (entry === undefined) return message
  const { id: _, method, ...annotations } = entry.annotations ?? {}
  const named = method === undefined ? {} : { method: shortOf(method) }
  const shown = { ...entry, annotations: { ...annotations, ...named } }
  return inWords(shown, hasColours ? coloured : plain)
}

/** Prints the log as it comes: for people, or as it is. */
export const printLog =
  (format) =>
  ({ level, message }) => {
    const stream = level === "error" || level === "warn" ? process.stderr : process.stdout
    const hasColours = stream.isTTY === true && !process.env.NO_COLOR
    stream.write(`${format === "pretty" ? lineFor(message, { hasColours }) : message}\n`)
  }
