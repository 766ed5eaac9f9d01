/** The API page: the declarations of every entry, as the package ships them. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const page = join(import.meta.dirname, "../../docs/reference/api.md")

const entries = {
  nacre: { file: "index.d.ts", what: "the server for a Worker of your own" },
  "nacre/effect": { file: "effect.d.ts", what: "the server with layers of your own" },
  "nacre/testing": { file: "testing.d.ts", what: "a PDS inside a test run, on Node" },
  "nacre/repo": { file: "repo.d.ts", what: "repos, proofs and the event stream, for any runtime" }
}

/**
 * Declarations without parts only for the compiler; files of shared types follow the entry that
 * imports them.
 */
const declarations = (folder: string, file: string): string => {
  const text = readFileSync(join(folder, file), "utf8")
  const shared = [...text.matchAll(/from "\.\/([\w.]+)\.js"/g)].map(([, name]) => `${name}.d.ts`)
  return [...new Set(shared), file]
    .map((name) =>
      readFileSync(join(folder, name), "utf8")
        .replaceAll(/^\/\/#.*\n?/gm, "")
        .replaceAll(/^import .*\n/gm, "")
        .replaceAll(/^export \{.*\};?$/gm, "")
        .trim()
    )
    .join("\n\n")
}

const pageOf = (built: string): string => {
  const folder = join(built, "dist")
  const sections = Object.entries(entries).map(
    ([name, { file, what }]) =>
      `## \`${name}\`\n\n${what[0]?.toUpperCase()}${what.slice(1)}.\n\n\`\`\`ts\n${declarations(folder, file)}\n\`\`\``
  )
  const notice = "<!-- Written by `npm run package` from the built declarations. -->"
  return `${["# API", notice, "The types that the package `nacre` exports. A change of this page is a change of the API.", ...sections].join("\n\n")}\n`
}

/** The differences between a built package and the committed page, marked `+` and `-`. */
export const apiChanges = (built: string): ReadonlyArray<string> => {
  const before = readFileSync(page, "utf8").split("\n")
  const after = pageOf(built).split("\n")
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`)
  ]
}

/** Writes the page from a built package. */
export const writeApiPage = (built: string): void => writeFileSync(page, pageOf(built))
