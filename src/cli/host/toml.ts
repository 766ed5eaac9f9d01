/** The lines of one TOML table; `""` is the part before the first table. */
interface Table {
  readonly name: string
  /** The line after its header. */
  readonly from: number
  /** The line after the last one with content; comments after it may belong to the next table. */
  readonly to: number
}

/** The text without strings and comments, with the same lines. */
const bare = (text: string): string =>
  text.replace(/"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*/g, (match) =>
    match.replace(/[^\n]/g, match.startsWith("#") ? " " : "x")
  )

const headerOf = (line: string): string | undefined =>
  /^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*$/.exec(line)?.[1]?.replace(/\s*\.\s*/g, ".")

/** The tables of a text in order; ignores lines of multi-line values that look like headers. */
const tablesOf = (text: string): ReadonlyArray<Table> => {
  const tables: Array<{ name: string; from: number; to: number }> = [{ name: "", from: 0, to: 0 }]
  let depth = 0
  for (const [at, line] of bare(text).split("\n").entries()) {
    const name = depth === 0 ? headerOf(line) : undefined
    if (name !== undefined) tables.push({ name, from: at + 1, to: at + 1 })
    else if (line.trim() !== "") tables.at(-1)!.to = at + 1
    for (const sign of line) {
      if (sign === "[" || sign === "{") depth += 1
      else if (sign === "]" || sign === "}") depth -= 1
    }
  }
  return tables
}

const insert = (text: string, at: number, added: ReadonlyArray<string>): string => {
  const lines = text.split("\n")
  return [...lines.slice(0, at), ...added, ...lines.slice(at)].join("\n")
}

/** The environment of a table; `""` at the top level. */
const environmentOf = (name: string): string => /^env\.[^.]+/.exec(name)?.[0] ?? ""

/** The text with a new table after the last one of the same environment, or at the end. */
const addTable = (text: string, name: string, lines: ReadonlyArray<string>): string => {
  const tables = tablesOf(text)
  const environment = environmentOf(name)
  const before = tables.findLast((one) => environmentOf(one.name) === environment) ?? tables.at(-1)
  const at = before?.to ?? 0
  return insert(text, at, at === 0 ? lines : ["", ...lines])
}

/** A TOML string. */
export const quoted = (text: string): string => JSON.stringify(text)

/**
 * Sets a key in a table (`""`: the top level; `env.staging.vars`), which is added if it is missing.
 *
 * For a list of tables, `nth` selects one. Replaces an existing empty list. Any other existing key
 * would make the text invalid: callers check first, and parse the result before they keep it.
 */
export const withKey = (
  text: string,
  table: string,
  [key, value]: readonly [key: string, value: string],
  nth = 0
): string => {
  const line = `${key} = ${value}`
  const found = tablesOf(text).filter(({ name }) => name === table)[nth]
  if (found === undefined) return addTable(text, table, [`[${table}]`, line])
  const lines = text.split("\n")
  const empty = new RegExp(`^\\s*${key}\\s*=\\s*\\[\\s*\\]\\s*$`)
  const at = lines.findIndex((one, n) => n >= found.from && n < found.to && empty.test(one))
  return at < 0 ? insert(text, found.to, [line]) : lines.with(at, line).join("\n")
}

/** Adds an entry to a list of tables: `[[env.staging.secrets_store_secrets]]`. */
export const withEntry = (
  text: string,
  table: string,
  entry: Readonly<Record<string, string>>
): string =>
  addTable(text, table, [
    `[[${table}]]`,
    ...Object.entries(entry).map(([key, value]) => `${key} = ${quoted(value)}`)
  ])
