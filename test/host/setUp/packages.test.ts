import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"

interface Locked {
  readonly integrity?: string
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const read = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../../..", name), "utf8"))
const locked: Readonly<Record<string, Locked>> = read("package-lock.json").packages

describe("the locked packages", () => {
  it("the lock file has the binaries of every platform", () => {
    const missing = Object.entries(locked).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in locked || `${path}/node_modules/${name}` in locked)
      )
    )
    assert.deepStrictEqual(missing, [])
    assert.isDefined(locked["node_modules/@esbuild/darwin-arm64"])
    assert.isDefined(locked["node_modules/@cloudflare/workerd-darwin-arm64"])
  })

  it("a package runs an install script only if package.json allows it", () => {
    const decided = Object.keys(read("package.json").allowScripts)
    const undecided = Object.entries(locked)
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length))
      .filter((name) => !decided.includes(name) && name !== "fsevents")
    assert.deepStrictEqual(undecided, [])
  })
})
