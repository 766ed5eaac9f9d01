import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { chmodSync, existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs"
import { delimiter } from "node:path"
import { schemaVersion } from "../../src/core/host/schemaVersion.ts"
import { version } from "../../src/core/host/version.ts"
import { type Desk, makeDesk } from "./command.ts"

let desk: Desk

/**
 * A fake npm that installs the given version, whose command deploys unless the version is broken,
 * and backs up unless disabled.
 */
const npm = `#!${process.execPath}
const { appendFileSync, mkdirSync, writeFileSync, readFileSync } = require("node:fs")
const args = process.argv.slice(2)
appendFileSync("calls.txt", "npm " + args.join(" ") + "\\n")
if (args[0] === "view") { console.log("9.1.0"); process.exit(0) }
const wanted = args[1].replace(/^nacre@/, "")
const schemas = JSON.parse(readFileSync("schemas.json", "utf8"))
mkdirSync("node_modules/nacre/dist", { recursive: true })
writeFileSync("node_modules/nacre/package.json", JSON.stringify({
  version: wanted, nacre: { schemaVersion: schemas[wanted] ?? 1 }
}))
writeFileSync("node_modules/nacre/CHANGELOG.md",
  "# Changelog\\n\\n## 9.1.0\\n\\n- Newest.\\n\\n## 9.0.0\\n\\n- Newer.\\n\\n## ${version}\\n\\n- Known.\\n")
writeFileSync("node_modules/nacre/dist/cli.js",
  "require('node:fs').appendFileSync('calls.txt', '" + wanted + " ' + process.argv.slice(2).join(' ') + '\\\\n');" +
  "const word = process.argv[2]; const bad = word === 'backup' ? require('node:fs').existsSync('no-backup')" +
  " : word === 'deploy' && '" + wanted + "' === '9.9.9'; process.exit(bad ? 1 : 0)")
`

beforeEach(() => {
  desk = makeDesk()
  mkdirSync(desk.path("bin"))
  writeFileSync(desk.path("bin/npm"), npm)
  chmodSync(desk.path("bin/npm"), 0o755)
  writeFileSync(desk.path("package.json"), '{ "dependencies": { "nacre": "^0.1.0" } }')
  writeFileSync(desk.path("schemas.json"), "{}")
})
afterEach(() => desk.remove())

const run = (words: string) =>
  desk.run(words.split(" "), { PATH: `${desk.path("bin")}${delimiter}${process.env["PATH"]}` })

const calls = () =>
  existsSync(desk.path("calls.txt"))
    ? readFileSync(desk.path("calls.txt"), "utf8").trim().split("\n")
    : []

describe("nacre upgrade", () => {
  it("upgrade installs the newest version, shows the changes since this one, and deploys with the new command", async () => {
    const { code, stderr, stdout } = await run("upgrade --yes --env staging")
    assert.strictEqual(code, 0, stderr)
    assert.deepStrictEqual(calls(), [
      "npm view nacre version",
      "npm install nacre@9.1.0",
      "9.1.0 upgrade config --env staging",
      "9.1.0 deploy --env staging"
    ])
    assert.include(stderr, "- Newest.")
    assert.include(stderr, "- Newer.")
    assert.notInclude(stderr, "- Known.")
    assert.include(stdout, `npm install nacre@${version}`)
  })

  it("upgrade deploys the previous version and fails if the new one doesn't become ready", async () => {
    const { code, stderr } = await run("upgrade --yes --to 9.9.9")
    assert.strictEqual(code, 1)
    assert.deepStrictEqual(calls(), [
      "npm install nacre@9.9.9",
      "9.9.9 upgrade config",
      "9.9.9 deploy",
      `npm install nacre@${version}`,
      `${version} deploy`
    ])
    assert.include(stderr, `${version} is deployed again`)
  })

  it("upgrade never rolls back data that only migrates forward, and says so first", async () => {
    writeFileSync(desk.path("schemas.json"), JSON.stringify({ "9.9.9": schemaVersion + 1 }))
    const { code, stderr } = await run("upgrade --yes --to 9.9.9")
    assert.strictEqual(code, 1)
    assert.deepStrictEqual(calls(), [
      "npm install nacre@9.9.9",
      "9.9.9 upgrade config",
      "9.9.9 deploy"
    ])
    assert.include(stderr, `you can't go back to ${version}`)
  })

  it("upgrade does nothing outside of a project or without consent", async () => {
    const { code } = await run("upgrade --to 9.1.0")
    assert.strictEqual(code, 1)
    const before = ["npm install nacre@9.1.0", "9.1.0 upgrade config"]
    assert.deepStrictEqual(calls(), before)
    writeFileSync(desk.path("package.json"), "{}")
    const outside = await run("upgrade --yes")
    assert.strictEqual(outside.code, 1)
    assert.include(outside.stderr, "git pull")
    assert.lengthOf(calls(), 2)
  })

  it("upgrade backs up the server first, and without a backup deploys nothing that can't be undone", async () => {
    writeFileSync(desk.path("wrangler.jsonc"), '{ "vars": { "PUBLIC_URL": "https://pds.test" } }')
    writeFileSync(desk.path("schemas.json"), JSON.stringify({ "9.1.0": schemaVersion + 1 }))
    writeFileSync(desk.path("no-backup"), "")
    const refused = await run("upgrade --yes --to 9.1.0")
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stderr, "--no-backup")
    const upTo = ["npm install nacre@9.1.0", "9.1.0 upgrade config"]
    const backup = "9.1.0 backup now --server https://pds.test"
    assert.deepStrictEqual(calls(), [...upTo, backup])
    unlinkSync(desk.path("no-backup"))
    unlinkSync(desk.path("calls.txt"))
    const { code, stderr } = await run("upgrade --yes --to 9.1.0")
    assert.strictEqual(code, 0, stderr)
    assert.deepStrictEqual(calls(), [...upTo, backup, "9.1.0 deploy"])
  })

  it("upgrade --no-deploy only installs, and says how to go back to a tarball", async () => {
    writeFileSync(desk.path("package.json"), '{ "dependencies": { "nacre": "file:../old.tgz" } }')
    const { code, stdout } = await run("upgrade --no-deploy --to 9.1.0")
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(calls(), ["npm install nacre@9.1.0", "9.1.0 upgrade config"])
    assert.include(stdout, "To go back: npm install ../old.tgz")
  })
})
