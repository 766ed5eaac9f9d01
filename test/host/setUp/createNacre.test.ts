import { spawnSync } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"

const source = join(import.meta.dirname, "../../../create-nacre")

let place: string
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "nacre-create-"))
  // As in the package: the program beside its versions, above the template.
  mkdirSync(join(place, "package/bin"), { recursive: true })
  cpSync(join(source, "create.ts"), join(place, "package/bin/create.ts"))
  cpSync(join(source, "template"), join(place, "package/template"), { recursive: true })
  const versions = { nacreVersion: "1.2.3", wranglerVersion: "4.0.0" }
  writeFileSync(join(place, "package/bin/versions.json"), JSON.stringify(versions))
})
afterEach(() => rmSync(place, { recursive: true, force: true }))

const create = (...args: ReadonlyArray<string>) => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(place, "package/bin/create.ts"), ...args, "--no-install"],
    { cwd: place, encoding: "utf8", env: { PATH: process.env["PATH"] } }
  )
  return { status, stderr }
}

const nameIn = (folder: string) =>
  JSON.parse(readFileSync(join(place, folder, "package.json"), "utf8")).name

describe("npm create nacre", () => {
  it("a new project has its folder's name, and its versions", () => {
    const { status, stderr } = create("Blue Sky")
    assert.strictEqual(status, 0, stderr)
    const { name, dependencies } = JSON.parse(
      readFileSync(join(place, "Blue Sky/package.json"), "utf8")
    )
    assert.deepStrictEqual([name, dependencies.nacre], ["blue-sky", "^1.2.3"])
    assert.include(readFileSync(join(place, "Blue Sky/wrangler.jsonc"), "utf8"), '"blue-sky"')
    assert.isTrue(existsSync(join(place, "Blue Sky/.gitignore")))
  })

  it("a name that is cut ends with a letter or digit, as Cloudflare requires", () => {
    const folder = `${"a".repeat(49)}-${"b".repeat(20)}`
    assert.strictEqual(create(folder).status, 0)
    assert.strictEqual(nameIn(folder), "a".repeat(49))
  })

  it("a folder that is a file or isn't empty is refused in a sentence, and stays unchanged", () => {
    writeFileSync(join(place, "taken"), "mine")
    mkdirSync(join(place, "full"))
    writeFileSync(join(place, "full/notes"), "mine")
    for (const [folder, reason] of [
      ["taken", "is a file"],
      ["full", "isn't empty"]
    ] as const) {
      const { status, stderr } = create(folder)
      assert.strictEqual(status, 1)
      assert.match(stderr, new RegExp(`^Error: .*${folder} ${reason}.*\\n$`))
    }
    assert.strictEqual(readFileSync(join(place, "taken"), "utf8"), "mine")
  })

  it("the value of an option of nacre init isn't taken for the folder", () => {
    const { status, stderr } = create("--domain", "pds.example.com")
    assert.strictEqual(status, 0, stderr)
    assert.isFalse(existsSync(join(place, "pds.example.com")))
    assert.strictEqual(nameIn("my-pds"), "my-pds")
  })
})
