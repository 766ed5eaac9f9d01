/**
 * The logged part of a failure: its kind and location, never its content.
 *
 * Messages and unlisted fields are omitted, because they may quote user input.
 */

/** Fields of our own errors that hold names, numbers, or our own sentences. */
const loggedFields: ReadonlySet<string> = new Set([
  "cid",
  "did",
  "error",
  "fault",
  "key",
  "kind",
  "limit",
  "nsid",
  "operation",
  "property",
  "purpose",
  "reason",
  "seq",
  "status",
  "step",
  "url",
  "variable"
])

/**
 * How the platform's own failures start; they name tables and codes, and quote values only in
 * quotation marks.
 */
const platformMessage =
  /^(\/\S+\.sqlite: )?(D1_[A-Z_]+|R2|SQLITE_[A-Z_]+|(The )?Durable Object|[Ii]nternal error|[Nn]etwork connection lost|fetch failed|[A-Z ]+ constraint failed|no such (table|column)|database or disk is full|database disk image is malformed|file is not a database|unable to open database file)\b/

/** What a name in a path or of a host has, and a code hasn't: only letters, after `/` or before `.`. */
const notName = String.raw`\b(?<!\/[a-z-]+)(?<![a-z]-[a-z]+(?=\.[a-z]))`

const secretShapes: ReadonlyArray<readonly [RegExp, string]> = [
  // Queries and fragments of URLs.
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s"'?#]*)[?#][^\s"']*/gi, "$1"],
  [/urn:ietf:params:oauth:request_uri:\S+/gi, "…"],
  [/urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A[^\s&"']+/gi, "…"],
  [/"[^"]*"|(?<!\w)'[^']*'(?!\w)|`[^`]*`/g, "…"],
  // Email addresses, JWTs, authorization codes.
  [/[^\s"'<>@]+@[^\s"'<>@]+\.[^\s"'<>@]+/g, "…"],
  [/\bey[\w-]{8,}\.[\w-]+\.[\w-]*/g, "…"],
  [/\bcod-[\w-]{20,}/g, "…"],
  // Mailed codes, recovery codes and invites; app passwords.
  [new RegExp(String.raw`\b[\dA-Za-z]{5}-[\dA-Za-z]{5}${notName}`, "g"), "…"],
  [new RegExp(String.raw`\b[A-Za-z2-7]{4}(-[A-Za-z2-7]{4}){3}${notName}`, "g"), "…"],
  // Network addresses, except in URLs.
  [/(?<![\w/.])\d{1,3}(\.\d{1,3}){3}(?![\w.])/g, "…"],
  [/(?<![\w:])(?=[\da-f:]*:[\da-f:]*:)[\da-f:]{3,}(?![\w:])/gi, "…"]
]

const maxText = 512

/** A text without anything that looks like a secret or an address, cut to 512 characters. */
export const readable = (text: string): string =>
  secretShapes
    .reduce((left, [shape, by]) => left.replaceAll(shape, by), text.slice(0, 8 * maxText))
    .slice(0, maxText)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const scalar = (value: unknown): unknown => {
  if (typeof value === "string") return readable(value)
  return typeof value === "number" || typeof value === "boolean" ? value : undefined
}

/** The frames of a stack, without the message above them. */
const framesOf = ({ message, stack = "" }: Error): ReadonlyArray<string> => {
  const after = message === "" ? 0 : stack.indexOf(message) + message.length
  return stack
    .slice(after)
    .split("\n")
    .filter((line) => /^\s+at [^"']{1,300}$/.test(line))
    .slice(0, 8)
    .map((line) => line.trim())
}

const named = (name: unknown): string =>
  typeof name === "string" && /^\w{1,64}$/.test(name) ? name : "unknown"

/** A thrown value by its name, its listed fields and its location, including its causes. */
export const failure = (value: unknown, depth = 0): object => {
  if (!isRecord(value)) return { failure: typeof value }
  const cause =
    value["cause"] === undefined || depth > 3 ? {} : { cause: failure(value["cause"], depth + 1) }
  if (typeof value["_tag"] === "string") {
    const kept = Object.entries(value).filter(([field]) => loggedFields.has(field))
    const fields = kept.map(([field, content]) => [field, scalar(content)] as const)
    return { failure: named(value["_tag"]), ...Object.fromEntries(fields), ...cause }
  }
  if (!(value instanceof Error)) return { failure: "object", ...cause }
  const { message, name } = value
  const code = "code" in value && typeof value.code === "string" ? value.code : ""
  return {
    failure: named(name),
    ...(/^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? { code } : {}),
    ...(platformMessage.test(message) ? { message: readable(message) } : {}),
    at: framesOf(value),
    ...cause
  }
}

/** A part of a log entry that isn't a failure: its own texts and numbers. */
export const loggable = (value: unknown, depth = 0): unknown => {
  if (typeof value === "string") return readable(value)
  if (!isRecord(value)) return typeof value === "bigint" ? String(value) : scalar(value)
  if (value instanceof Error || typeof value["_tag"] === "string") return failure(value)
  if (depth > 2) return undefined
  if (Array.isArray(value)) return value.slice(0, 20).map((one) => loggable(one, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) return undefined
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, loggable(one, depth + 1)])
  )
}
