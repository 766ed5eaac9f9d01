import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import { utcMinute } from "../core/host/utcMinute.ts"
import { JsonFlag } from "./flags.ts"
import { printableLines } from "./printable.ts"

/** Prints lines on stdout, which carries nothing but the result. */
export const print = (text: string): Effect.Effect<void> => Console.log(printableLines(text))

/** Prints a value as JSON on stdout; control characters are escaped without changing the value. */
export const printJson = (value: unknown): Effect.Effect<void> =>
  print(JSON.stringify(value, null, 2))

/** Prints a command's result: as JSON with `--json`, otherwise in words. */
export const report = <A>(value: A, words: (value: A, style: Style) => string) =>
  Effect.gen(function* () {
    const json = yield* JsonFlag
    yield* json ? printJson(value) : print(words(value, yield* style))
  })

/** Prints progress on stderr, never as part of the result. */
export const note = (text: string): Effect.Effect<void> => Console.error(printableLines(text))

/** Colours for words, if the terminal supports them. */
export interface Style {
  bold(text: string): string
  good(text: string): string
  bad(text: string): string
  faint(text: string): string
}

const painted =
  (code: number, end: number) =>
  (text: string): string =>
    `\u001B[${code}m${text}\u001B[${end}m`

const plain = (text: string): string => text

const plainStyle: Style = { bold: plain, good: plain, bad: plain, faint: plain }
const colourStyle: Style = {
  bold: painted(1, 22),
  good: painted(32, 39),
  bad: painted(31, 39),
  faint: painted(2, 22)
}

/** Colours only on a terminal, and not where NO_COLOR is set. */
export const style: Effect.Effect<Style> = Effect.map(
  TerminalCapabilities.TerminalCapabilities,
  ({ canColor }) => (canColor ? colourStyle : plainStyle)
)

/** Lines of a label and an aligned value; leaves out undefined values. */
export const facts = (
  pairs: ReadonlyArray<readonly [label: string, value: string | undefined]>
) => {
  const shown = pairs.filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...shown.map(([label]) => label.length)) + 2
  return shown.map(([label, value]) => `${label.padEnd(width)}${value}`).join("\n")
}

/** A table with aligned columns; `none` if there are no rows. */
export const table = (
  heads: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  none: string
): string => {
  if (rows.length === 0) return none
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0))
  )
  return [heads, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}

/** A time in milliseconds, formatted for people. */
export const moment = (millis: number | undefined): string =>
  millis === undefined ? "" : utcMinute(millis)

/** A time in milliseconds to the second: “14:05:09 UTC”. */
export const utcSecond = (millis: number): string =>
  `${new Date(millis).toISOString().slice(11, 19)} UTC`

/** A number of bytes, formatted for people. */
export const bytes = (count: number): string => {
  const units = ["B", "KB", "MB", "GB", "TB"]
  let size = count
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`
}
