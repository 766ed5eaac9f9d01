import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { configurationNames } from "../../scripts/env.mjs"
import { accountMethods } from "../../src/http/account.ts"
import { hostMethods } from "../../src/http/host.ts"

const root = join(import.meta.dirname, "../..")
const exists = (path: string) => existsSync(join(root, path))
const read = (path: string) => readFileSync(join(root, path), "utf8")

/** The pages of `docs/`, as paths without their ending. */
const guides = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".md"))
  .map((file) => `docs/${file.slice(0, -3)}`)

const documents = ["README", "STORAGE", "SECURITY", "CONTRIBUTING", "CHANGELOG", "AGENTS"].concat(
  guides
)
const textOf = (document: string) => read(`${document}.md`)

/** The tests that a text names: a file, then “names”, until the next file or the end of the line. */
const proofs = (text: string): ReadonlyArray<{ readonly file: string; readonly name: string }> =>
  text.split("\n").flatMap((line) => {
    const [, ...rest] = line.split(/`(test\/[^`]+\.ts)`/)
    return rest.flatMap((part, at) =>
      at % 2 === 1
        ? [...part.matchAll(/“([^”]+)”/g)].map(([, name]) => ({ file: rest[at - 1]!, name: name! }))
        : []
    )
  })

describe("the documents", () => {
  it("name tests that exist", () => {
    const named = documents.flatMap((document) => proofs(textOf(document)))
    assert.isAbove(named.length, 50)
    const missing = named.filter(({ file, name }) => !exists(file) || !read(file).includes(name))
    assert.deepStrictEqual(missing, [])
  })

  it("name files that exist", () => {
    const named = documents.flatMap((document) =>
      [
        ...textOf(document).matchAll(
          /(?:`|\]\()((?:src|test|scripts|bench|\.ci)\/[\w./-]+|[A-Z]+\.md)[`)]/g
        )
      ].map(([, path]) => path!)
    )
    assert.isAbove(named.length, 50)
    assert.deepStrictEqual(
      named.filter((path) => !exists(path)),
      []
    )
  })

  it("list every method that the server answers, and no other", () => {
    const listed = [...textOf("README").matchAll(/^\| `((?:com|app)\.[\w.]+)`/gm)].map(
      ([, nsid]) => nsid!
    )
    const answered = new Set([...hostMethods.keys(), ...accountMethods.keys()])
    assert.deepStrictEqual(listed.toSorted(), [...answered].toSorted())
  })

  it("list every variable of the configuration, and no other", () => {
    const listed = [...textOf("README").matchAll(/^\| `([A-Z][A-Z_]+)`/gm)].map(([, name]) => name!)
    assert.deepStrictEqual(listed.toSorted(), configurationNames.toSorted())
  })

  it("describe every table with its columns", () => {
    const files = readdirSync(join(root, "src/layers"), { recursive: true, encoding: "utf8" })
    const statement = /CREATE TABLE IF NOT EXISTS (\w+) \(([\s\S]*?)\)(?: WITHOUT ROWID)?[`"]/g
    const tables = files
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => {
        const source = read(`src/layers/${file}`)
        // A table that is dropped again is one of the last version.
        return [...source.matchAll(statement)].filter(
          ([, table]) => !source.includes(`DROP TABLE ${table}`)
        )
      })
    const sections = textOf("STORAGE").split(/^##+ /m)
    const missing = tables.flatMap(([, table, body]) => {
      const section = sections.find((one) => one.split("\n", 1)[0]?.includes(`\`${table}\``))
      const columns = body!
        .split(",")
        .flatMap((part) => /^\s*([a-z_]+) (?:TEXT|INTEGER|BLOB)\b/.exec(part)?.[1] ?? [])
      return columns
        .filter((column) => section?.includes(`\`${column}\``) !== true)
        .map((column) => `${table}.${column}`)
    })
    assert.isAbove(tables.length, 15)
    assert.deepStrictEqual(missing, [])
  })
})
