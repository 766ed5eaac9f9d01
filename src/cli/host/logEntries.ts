import * as Result from "effect/Result"

/** One line of the server's log, as written. */
export type LogEntry = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is LogEntry =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const parsed = (text: string): unknown =>
  Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))

/** Assembles documents from lines, because wrangler prints each over many; ignores other lines. */
export const documents = (): ((line: string) => unknown) => {
  let open = ""
  return (line) => {
    if (open === "" && !line.startsWith("{")) return undefined
    open = line === "{" ? line : `${open}${line}`
    const document = parsed(open)
    if (document !== undefined) open = ""
    return document
  }
}

const timeOf = (value: unknown): string =>
  new Date(typeof value === "number" ? value : 0).toISOString()

/**
 * The log entries in an event of `wrangler tail`: the server's own lines, other output, and
 * exceptions.
 */
export const entriesOf = (event: unknown): ReadonlyArray<LogEntry> => {
  if (!isRecord(event)) return []
  const logged = listOf(event["logs"]).flatMap((log): ReadonlyArray<LogEntry> => {
    if (!isRecord(log)) return []
    const texts = listOf(log["message"])
    const own = texts.length === 1 && typeof texts[0] === "string" ? parsed(texts[0]) : undefined
    if (isRecord(own) && "level" in own) return [own]
    const level = String(log["level"] ?? "log").toUpperCase()
    return [{ message: texts.map(String).join(" "), level, timestamp: timeOf(log["timestamp"]) }]
  })
  const thrown = listOf(event["exceptions"]).flatMap((one): ReadonlyArray<LogEntry> => {
    if (!isRecord(one)) return []
    const message = `${String(one["name"])}: ${String(one["message"])}`
    return [{ message, level: "ERROR", timestamp: timeOf(one["timestamp"]) }]
  })
  return [...logged, ...thrown]
}

/** The id of a line's request. */
export const requestIdOf = ({ annotations }: LogEntry): unknown =>
  isRecord(annotations) ? annotations["id"] : undefined

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : (JSON.stringify(value) ?? "")

const isBad = (entry: LogEntry): boolean => {
  const { level, annotations } = entry
  const status = isRecord(annotations) ? annotations["status"] : undefined
  return level === "ERROR" || level === "FATAL" || (typeof status === "number" && status >= 500)
}

/** A line for people: `17:06:20  200 POST com.atproto.repo.createRecord  22 ms  <id>`. */
export const inWords = (
  entry: LogEntry,
  {
    faint,
    bad
  }: { readonly faint: (text: string) => string; readonly bad: (text: string) => string }
): string => {
  const { annotations, cause, level, message, timestamp } = entry
  const { id, http, method, status, ms, account, ...others } = isRecord(annotations)
    ? annotations
    : {}
  const more = Object.entries(others).map(([name, value]) => `${name}=${textOf(value)}`)
  const about = [account, ...more].filter((part) => part !== undefined).map(textOf)
  const words =
    message === "request"
      ? [`${textOf(status)} ${textOf(http)} ${textOf(method)}`, ...about, `${textOf(ms)} ms`]
      : [`${textOf(level)} ${textOf(message)}`, ...about]
  const causes = cause === undefined ? [] : [textOf(cause)]
  const line = [...words, ...causes].join("  ")
  const time = textOf(timestamp).slice(11, 19)
  return [faint(time), isBad(entry) ? bad(line) : line, id === undefined ? "" : faint(textOf(id))]
    .filter((part) => part !== "")
    .join("  ")
}
