/**
 * The architecture's walls: which part of src may import which, and what it may contain.
 *
 * Imports flow one way: core ← services ← layers and http (siblings) ← main, dev. The `nacre`
 * command (cli) imports the core, and uses the server only through HTTP.
 */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize, relative, sep } from "node:path"

/**
 * The floors that each floor may import; files directly in src (entry points) may import
 * everything.
 */
const reach: Readonly<Record<string, ReadonlyArray<string>>> = {
  core: ["core"],
  services: ["core", "services"],
  layers: ["core", "services", "layers"],
  http: ["core", "services", "http"],
  cli: ["core", "cli"]
}

/**
 * The fifteen words: every folder below a floor has one of these names, which finds every part of
 * a capability.
 */
const words: ReadonlyArray<string> =
  "repo blobs stream identity accounts sessions oauth factors mail proxy edge limits backups operators host".split(
    " "
  )

/** The allowed names of folders directly below a floor; the command has its own. */
const rooms: Readonly<Record<string, ReadonlyArray<string>>> = {
  core: [...words, "bytes", "lexicon"],
  services: words,
  layers: [...words, "objects"],
  http: [...words, "pages"]
}

/** The most files in a folder, for both src and test. */
const maxFiles = 25

/** Where a family of packages may be imported; entry points only if `entry` lists them. */
interface PackageRule {
  readonly name: string
  readonly parts: ReadonlyArray<string>
  readonly entry: ReadonlyArray<string>
}

/** The entry points that compose layers or run effects. */
const composing = [
  "makeNacre.ts",
  "effect.ts",
  "testing.ts",
  "dev.ts",
  "serve.ts",
  "drill.ts",
  "command.ts"
]

const packages: ReadonlyArray<PackageRule> = [
  { name: "effect/cli", parts: ["cli"], entry: ["command.ts"] },
  { name: "effect/http", parts: ["cli"], entry: ["command.ts"] },
  { name: "effect/sql", parts: ["layers"], entry: [] },
  { name: "@effect/sql", parts: ["layers"], entry: [] },
  { name: "@effect/platform-node", parts: [], entry: ["command.ts"] },
  { name: "cloudflare:", parts: ["layers"], entry: ["options.ts"] },
  {
    name: "effect/Schema",
    parts: ["core", "services", "layers", "http", "cli"],
    entry: composing
  },
  {
    name: "effect/Result",
    parts: ["core", "services", "layers", "http", "cli"],
    entry: composing
  },
  {
    name: "effect/",
    parts: ["services", "layers", "http", "cli"],
    entry: composing
  }
]

interface Ban {
  readonly pattern: RegExp
  readonly use: string
}

/** Patterns only allowed in layers and entry points, and what to use instead. */
const banned: ReadonlyArray<Ban> = [
  { pattern: /\bDate\.now\b|\bnew Date\(\s*\)/, use: "Clock" },
  { pattern: /\bMath\.random\b/, use: "Random" },
  { pattern: /\basync\s*(?:function\b|\*|\(|[A-Za-z_$][\w$]*\s*(?:=>|\())/, use: "Effect" },
  { pattern: /\btry\s*\{/, use: "Effect.try or typed errors" }
]

/** Exceptions with reasons, by file. */
const allowed: Readonly<
  Record<string, { readonly uses?: ReadonlyArray<string>; readonly reason: string }>
> = {
  "services/repo/RepoExport.ts": {
    uses: ["Effect.try or typed errors"],
    reason: "the platform calls a stream's pull outside of Effect"
  },
  "services/repo/write/assemble.ts": {
    uses: ["Effect.try or typed errors"],
    reason: "turns one exception of the synchronous tree into a value, on the hot path of a write"
  }
}

/**
 * Patterns with which the command must not read or show a server's response, and what to use
 * instead.
 */
const commandWords: ReadonlyArray<Ban> = [
  { pattern: /\bSchema\.String\b/, use: "a format or Words of cli/answers.ts" },
  { pattern: /\bConsole\b|\bprocess\.std(?:out|err)\b/, use: "cli/output.ts" }
]

/** The command's files that read no server's response, or that implement the alternatives. */
const apart =
  /^cli\/(?:answers|output|place|failure|recoveryKey|login\/profiles|migrate\/notes|host\/environment)\.ts$/

const maxLines = 300

/** Source text with comments and the contents of strings blanked out (template expressions too). */
export const codeOnly = (text: string): string =>
  text.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g,
    (match) => match.replace(/[^\n]/g, " ")
  )

/** The modules that a source imports, re-exports or loads, with or without `type`. */
export const importsOf = (text: string): ReadonlyArray<string> =>
  importList(text).map(({ name }) => name)

interface Import {
  readonly name: string
  readonly erased: boolean
}

/** The same, with a flag for imports that the compiler erases. */
const importList = (text: string): ReadonlyArray<Import> => {
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/[^\n]*$/gm, "")
  const statement =
    /^\s*(?:import|export)\s(?:[\w*{}\s,$]*?\sfrom\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm
  return [...bare.matchAll(statement)].map((match) => ({
    name: match[1] ?? match[2] ?? "",
    erased: /^\s*(?:import|export)\s+type\b/.test(match[0])
  }))
}

/** Every TypeScript file under a folder, as paths with `/` relative to it. */
const filesUnder = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .toSorted()

/** The folder of a file directly under src, or undefined for an entry point. */
const partOf = (file: string): string | undefined =>
  file.includes("/") ? file.slice(0, file.indexOf("/")) : undefined

/**
 * Every violation in a src folder, in one sentence each; `sources` is path relative to src →
 * text.
 */
export function breachesOf(sources: ReadonlyMap<string, string>): Array<string> {
  const breaches: Array<string> = []
  const graph: Graph = new Map()
  for (const [file, text] of sources) {
    const part = partOf(file)
    const list = importList(text)
    const imports = list.map(({ name }) => name)
    const pathOf = ({ name }: Import): string =>
      normalize(join(dirname(file), name))
        .split(sep)
        .join("/")
    const inside = list.filter(({ name }) => name.startsWith("."))
    const local = inside.map(pathOf)
    // An erased import loads nothing, so it can't close a cycle.
    graph.set(file, inside.filter(({ erased }) => !erased).map(pathOf))

    const mayReach = part === undefined ? undefined : reach[part]
    if (part !== undefined && mayReach === undefined) {
      breaches.push(`${file}: src/${part} is not a floor that the architecture knows`)
      continue
    }
    const room = file.split("/").length > 2 ? file.split("/")[1] : undefined
    const known = part === undefined ? undefined : rooms[part]
    if (room !== undefined && known !== undefined && !known.includes(room)) {
      breaches.push(`${file}: ${part}/${room} bears none of the words ${known.join(", ")}`)
    }
    for (const target of local) {
      // Servers in memory share the PLC directory of `npm start`, the command its secrets.
      const shares =
        ["dev.ts", "serve.ts", "testing.ts", "cli.ts", "command.ts"].includes(file) ||
        part === "cli"
      if (shares && target.startsWith("../scripts/")) continue
      if (target.startsWith(".."))
        breaches.push(`${file} imports ${target}, which lies outside src`)
      else if (mayReach !== undefined && !mayReach.includes(partOf(target) ?? "")) {
        breaches.push(`${file} imports ${target}: ${part} may import only ${mayReach.join(", ")}`)
      }
    }
    for (const name of imports.filter((one) => !one.startsWith("."))) {
      if (name === "effect") breaches.push(`${file} imports the barrel "effect": import by module`)
      const rule = packages.find((one) => name.startsWith(one.name))
      const may = part === undefined ? rule?.entry.includes(file) : rule?.parts.includes(part)
      if (rule !== undefined && !may) {
        breaches.push(`${file} imports ${name}, which belongs in ${places(rule)}`)
      }
    }
    if (part === "services" || part === "http" || part === "cli") {
      const code = codeOnly(text)
      const rules = part === "cli" && !apart.test(file) ? [...banned, ...commandWords] : banned
      for (const { pattern, use } of rules) {
        const found = pattern.exec(code)
        if (found === null || allowed[file]?.uses?.includes(use)) continue
        const line = code.slice(0, found.index).split("\n").length
        breaches.push(`${file}:${line} has "${found[0].trim()}": use ${use}`)
      }
    }
    const lines = text.split("\n").length - 1
    if (lines > maxLines) breaches.push(`${file} has ${lines} lines, more than ${maxLines}`)
  }
  return [...breaches, ...crowdedFolders(sources.keys()), ...cyclesOf(graph)]
}

const places = ({ parts, entry }: PackageRule): string =>
  [...parts.map((part) => `src/${part}`), ...entry.map((file) => `src/${file}`)].join(", ")

/** Every folder with too many files, in one sentence each. */
export function crowdedFolders(files: Iterable<string>): Array<string> {
  const counts = new Map<string, number>()
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
  return [...counts]
    .filter(([, count]) => count > maxFiles)
    .map(([folder, count]) => `${folder} holds ${count} files, more than ${maxFiles}`)
}

/** A file, and the files that it loads. */
type Graph = Map<string, ReadonlyArray<string>>

/** Each import cycle once, as the chain of its files. */
function cyclesOf(graph: Graph): Array<string> {
  const done = new Set<string>()
  const found: Array<string> = []
  const visit = (file: string, chain: ReadonlyArray<string>): void => {
    const at = chain.indexOf(file)
    if (at >= 0) found.push(`import cycle: ${[...chain.slice(at), file].join(" → ")}`)
    if (at >= 0 || done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...chain, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

/** The sources of a src folder, for `breachesOf`. */
export const readSources = (folder: string): Map<string, string> =>
  new Map(filesUnder(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]))
