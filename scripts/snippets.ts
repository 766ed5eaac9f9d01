import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./build.ts"

/** The text of a file of the repository. */
export const read = (file: string): string => readFileSync(join(root, file), "utf8")

const markdownIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
    .map((file) => join(folder, file))

/** Every document with snippets that people may copy. */
export const documents: ReadonlyArray<string> = [
  "README.md",
  "CONTRIBUTING.md",
  "AGENTS.md",
  "SECURITY.md",
  "examples/README.md",
  ...markdownIn("create-nacre"),
  ...markdownIn("docs")
]

/** A block of code in a document. */
export interface Block {
  readonly file: string
  readonly language: string
  readonly code: string
}

/** The blocks of code of all documents, in their order. */
export const blocks: ReadonlyArray<Block> = documents.flatMap((file) =>
  [...read(file).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({
    file,
    language: language!,
    code: code!
  }))
)

/** How each language is checked; a block of any other language fails the test. */
export const checkedElsewhere: Readonly<Record<string, string>> = {
  ts: "`npm run check` compiles each",
  "": "what a command prints",
  text: "drawings, and the help texts of docs/reference/cli.md, which are generated",
  toml: "test/cli/deployGuide.test.ts puts each into wrangler.toml",
  jsonc: "the settings of a Worker; `npm run examples` deploys the same ones dry"
}

/**
 * Programs that snippets call besides `nacre` and npm's scripts, and why they aren't checked
 * further.
 */
export const otherPrograms: Readonly<Record<string, string>> = {
  caddy: "Caddy's own command, with its usual flags",
  cd: "changes to a folder that the line before it creates",
  cp: "copies a file of the package",
  curl: "a request to a made-up server",
  git: "git's own command",
  mkdir: "makes a folder",
  source: "a shell's own command"
}

/**
 * Declarations that TypeScript blocks take from the surrounding text, by a word that only this
 * block contains.
 */
const around: ReadonlyArray<readonly [word: string, declarations: string]> = [
  [
    "createNacre<Env>",
    "interface Env { readonly ASSETS: { fetch(request: Request): Promise<Response> } }"
  ],
  [
    'from "nacre/repo"',
    "declare const pds: string, did: string, signingKey: string, cursor: number\n" +
      "declare const car: Uint8Array, prevData: import('nacre/repo').Cid"
  ]
]

/**
 * The TypeScript blocks that people copy; those in docs/reference are the package's own
 * declarations.
 */
export const typescript = blocks.filter(
  ({ file, language }) => language === "ts" && !file.startsWith("docs/reference/")
)

/** Writes each TypeScript block as a module of its own, for the compiler. */
export const writeSnippets = (): void => {
  const folder = join(root, "node_modules/.cache/snippets")
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, "lexicons"), { recursive: true })
  writeFileSync(
    join(folder, "lexicons/com.example.greet.json"),
    read("examples/own-worker/src/greet.json")
  )
  for (const [at, { file, code }] of typescript.entries()) {
    const before = around.filter(([word]) => code.includes(word)).map(([, text]) => text)
    const name = `${file.replaceAll(/[/.]/g, "-")}-${at}.ts`
    writeFileSync(join(folder, name), [...before, code, "export {}\n"].join("\n"))
  }
}

/** One command of a shell block or of code in a sentence, as words. */
export type Words = ReadonlyArray<string>

/** The commands of a line: without comments, variables before them, and files that they read or write. */
export const commandsOf = (code: string): ReadonlyArray<Words> =>
  code
    .replaceAll(/ \\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.replace(/\s# .*$/, ""))
    .flatMap((line) => line.split(/ (?:&&|\|) /))
    .map((line) => line.replace(/ > \S+/, "").replaceAll(/[<>]\(([^)]*)\)/g, "$1"))
    .map((line) => line.match(/"[^"]*"|'[^']*'|\S+/g) ?? [])
    .map((words) => words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word))))
    .filter((words) => words.length > 0)

/** The project's own commands as code in sentences. */
export const inSentences = (file: string): ReadonlyArray<Words> =>
  [
    ...read(file)
      .replaceAll(/^```[\s\S]*?^```$/gm, "")
      .matchAll(/`((?:npx nacre|nacre|npm run|npm test|npm start)(?: [^`]*)?)`/g)
  ].flatMap(([, code]) => commandsOf(code!))
