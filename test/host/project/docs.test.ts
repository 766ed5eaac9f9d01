import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { stalePages } from "../../../scripts/docs.ts"
import { storedTables } from "../../../scripts/reference/storage.ts"

const root = join(import.meta.dirname, "../../..")
const exists = (path: string) => existsSync(join(root, path))
const read = (path: string) => readFileSync(join(root, path), "utf8")

/** The pages of `docs/`, as paths without extension. */
const guides = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".md"))
  .map((file) => `docs/${file.slice(0, -3)}`)

const documents = ["README", "SECURITY", "CONTRIBUTING", "CHANGELOG", "AGENTS"].concat(guides)
const textOf = (document: string) => read(`${document}.md`)

/** Whether a page has a heading with this anchor. */
const hasAnchor = (path: string, anchor: string | undefined): boolean =>
  anchor === undefined ||
  [...read(path).matchAll(/^#+ (.*)$/gm)].some(
    ([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, "")
        .replaceAll(" ", "-") === anchor
  )

/**
 * The tests that a text names: a file, then “names”, until the next file or the end of the line.
 */
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
  it("the documents name tests that exist", () => {
    const named = documents.flatMap((document) => proofs(textOf(document)))
    assert.isAbove(named.length, 50)
    const missing = named.filter(({ file, name }) => !exists(file) || !read(file).includes(name))
    assert.deepStrictEqual(missing, [])
  })

  it("the documents name files that exist", () => {
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

  it("the reference pages match the code", async () => {
    assert.deepStrictEqual(await stalePages(), [])
  })

  it("every link points to an existing page and heading", () => {
    const broken = documents.flatMap((document) =>
      [...textOf(document).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#([^)\s]+))?\)/g)]
        .map(([, path, anchor]) => ({ path: join(dirname(`${document}.md`), path!), anchor }))
        .filter(({ path, anchor }) => !exists(path) || !hasAnchor(path, anchor))
        .map(
          ({ path, anchor }) => `${document}: ${path}${anchor === undefined ? "" : `#${anchor}`}`
        )
    )
    assert.deepStrictEqual(broken, [])
  })

  it("the storage page describes every table with its columns", () => {
    const tables = storedTables()
    const sections = guides
      .filter((guide) => guide.startsWith("docs/contribute/storage/"))
      .flatMap((guide) => textOf(guide).split(/^##+ /m))
    const missing = tables.flatMap(({ name, columns }) => {
      const section = sections.find((one) => one.split("\n", 1)[0]?.includes(`\`${name}\``))
      return columns
        .filter((column) => section?.includes(`\`${column}\``) !== true)
        .map((column) => `${name}.${column}`)
    })
    assert.isAbove(tables.length, 15)
    assert.deepStrictEqual(missing, [])
  })
})
