import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "jsonc-parser"
import { type Desk, makeDesk } from "./command.ts"
import { runTyping } from "./typing.ts"

let desk: Desk

beforeEach(() => {
  desk = makeDesk()
})
afterEach(() => desk.remove())

const root = join(import.meta.dirname, "../..")

const read = (name: string): string => readFileSync(desk.path(name), "utf8")

const run = (...more: ReadonlyArray<string>) =>
  runTyping(["upgrade", "config", "--json", ...more], {
    env: { NACRE_CONFIG_DIR: desk.path("settings"), DATA_DIR: desk.path(".data") },
    folder: desk.folder
  })

/** The configuration that init wrote in 0.2.0, without backups. */
const before = `{
  "name": "my-pds",
  // The server's objects.
  "exports": { "Account": { "type": "durable-object", "storage": "sqlite" } },

  // Pictures and videos.
  "r2_buckets": [{ "binding": "BLOBS", "bucket_name": "my-pds-blobs", "jurisdiction": "eu" }],
  "vars": { "PUBLIC_URL": "https://pds.test", "DATA_LOCATION": "eu" }
}
`

const toml = `name = "nacre"
routes = []

[[r2_buckets]]
binding = "BLOBS"
bucket_name = "nacre-blobs"

# Tried first.
[env.staging]
name = "nacre-staging"

[[env.staging.r2_buckets]]
binding = "BLOBS"
bucket_name = "nacre-staging-blobs"
`

describe("nacre upgrade config", () => {
  it("upgrade config adds the backups to an older project, keeps its comments, and adds nothing twice", async () => {
    writeFileSync(desk.path("wrangler.jsonc"), before)
    const { isContent, json, stderr } = await run()
    assert.isTrue(isContent, stderr)
    assert.lengthOf(json.added, 2)
    const was = parse(before)
    assert.deepStrictEqual(parse(read("wrangler.jsonc")), {
      ...was,
      r2_buckets: [
        ...was.r2_buckets,
        { binding: "BACKUPS", bucket_name: "my-pds-backups", jurisdiction: "eu" }
      ],
      triggers: { crons: ["*/5 * * * *"] }
    })
    for (const comment of ["// The server's objects.", "// Pictures and videos."]) {
      assert.include(read("wrangler.jsonc"), comment)
    }
    const after = read("wrangler.jsonc")
    assert.deepStrictEqual((await run()).json.added, [])
    assert.strictEqual(read("wrangler.jsonc"), after)
  })

  it("upgrade config adds the backups to an environment of a wrangler.toml, and keeps every line", async () => {
    writeFileSync(desk.path("wrangler.toml"), toml)
    const { isContent, stderr } = await run("--env", "staging")
    assert.isTrue(isContent, stderr)
    const lines = read("wrangler.toml").split("\n")
    assert.deepStrictEqual(
      toml.split("\n").filter((line) => !lines.includes(line)),
      []
    )
    assert.include(read("wrangler.toml"), 'bucket_name = "nacre-staging-backups"')
    assert.include(read("wrangler.toml"), '[env.staging.triggers]\ncrons = ["*/5 * * * *"]')
  })

  it("upgrade config adds nothing to a project of this version", async () => {
    for (const file of ["create-nacre/template/wrangler.jsonc", "wrangler.toml"]) {
      const other = makeDesk()
      desk.remove()
      desk = other
      copyFileSync(join(root, file), desk.path(file.replace(/.*\//, "")))
      assert.deepStrictEqual((await run()).json.added, [], file)
    }
  })
})
