import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "../../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")

const page = read("docs/contribute/packages.md")

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** The names of all packages that the project's manifests list. */
const installed = ["package.json", "site/package.json", "test/peers/package.json"].flatMap(
  (path) => {
    const { dependencies, devDependencies }: Manifest = JSON.parse(read(path))
    return Object.keys({ ...dependencies, ...devDependencies })
  }
)

/** The packages in the first column of a table: `| `a`, `b` | … |`. */
const named = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...line.split("|")[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!))

describe("the page about packages", () => {
  it("the page says what each package is for", () => {
    assert.isAbove(installed.length, 40)
    assert.deepStrictEqual(
      installed.filter((name) => !page.includes(`\`${name}\``)),
      []
    )
  })

  it("the page holds a package back at the version that is installed", () => {
    const { dependencies, devDependencies }: Manifest = JSON.parse(read("package.json"))
    const versions = { ...dependencies, ...devDependencies }
    const rows = page
      .slice(page.indexOf("## Held back"))
      .split("\n")
      .filter((line) => /^\| `.*\| \d/.test(line))
      .map((line) => line.split("|").map((cell) => cell.trim()))
    assert.isAbove(rows.length, 4)
    for (const [, names, stays] of rows) {
      const stated = stays!.split(", ")
      for (const [at, name] of named(`| ${names} |`).entries()) {
        const version = (stated[at] ?? stated[0]!).replace(/\.x$/, "")
        assert.isTrue(versions[name]!.startsWith(version), `${name} is at ${versions[name]}`)
      }
    }
  })
})
