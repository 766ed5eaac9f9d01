import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { parseVars } from "../../scripts/env.mjs"
import { type Desk, makeDesk } from "./command.ts"

let desk: Desk

/** Stands for wrangler: notes what it is asked, and has the secrets that it is told to have. */
const wrangler = (secrets: ReadonlyArray<string>) => `
import { appendFileSync } from "node:fs"
const args = process.argv.slice(2)
let given = ""
if (args[1] === "put") for await (const chunk of process.stdin) given += chunk
appendFileSync("calls.jsonl", JSON.stringify({ args, given }) + "\\n")
if (args[1] === "list") console.log(${JSON.stringify(JSON.stringify(secrets.map((name) => ({ name }))))})
else console.log("words of wrangler")
`

const env = { NACRE_WRANGLER: "wrangler.mjs" }

const calls = (): ReadonlyArray<{ args: ReadonlyArray<string>; given: string }> =>
  readFileSync(desk.path("calls.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))

const toml = 'name = "nacre"\n\n[[r2_buckets]]\nbinding = "BLOBS"\n'

const all = ["MASTER_KEY", "PLC_ROTATION_KEY", "ADMIN_PASSWORD"]

beforeEach(() => {
  desk = makeDesk()
  writeFileSync(desk.path("wrangler.toml"), toml)
  writeFileSync(desk.path("wrangler.mjs"), wrangler(all))
})
afterEach(() => desk.remove())

const toCloudflare =
  "init --target cloudflare --domain pds.example.com --location eu --first-account new --recovery-key mine.json".split(
    " "
  )

describe("nacre init", () => {
  it("makes secrets and a recovery key that only their owner may read, shows none, and overwrites nothing", async () => {
    const first = await desk.run(toCloudflare)
    assert.strictEqual(first.code, 0, first.stderr)
    const file = desk.path(".dev.vars.cloudflare")
    const vars = parseVars(readFileSync(file, "utf8"))
    const key = JSON.parse(readFileSync(desk.path("mine.json"), "utf8"))
    for (const secret of [...all.map((name) => vars[name]!), key.privateKey]) {
      assert.isAtLeast(secret.length, 20)
      assert.notInclude(first.stdout + first.stderr, secret)
    }
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    assert.strictEqual(statSync(desk.path("mine.json")).mode & 0o777, 0o600)
    assert.strictEqual(
      readFileSync(desk.path("wrangler.toml"), "utf8"),
      'name = "nacre"\n\nroutes = [{ pattern = "pds.example.com", custom_domain = true }]\n\n' +
        '[[r2_buckets]]\nbinding = "BLOBS"\n\n' +
        '[vars]\nPUBLIC_URL = "https://pds.example.com"\nDATA_LOCATION = "eu"\n'
    )
    const before = readFileSync(file, "utf8")
    const again = await desk.run(toCloudflare)
    assert.strictEqual(again.code, 1)
    assert.match(again.stderr, /never overwritten/)
    assert.strictEqual(readFileSync(file, "utf8"), before)
  })

  it("makes nothing where the file for the recovery key is taken", async () => {
    writeFileSync(desk.path("mine.json"), "another key")
    const { code, stderr } = await desk.run(toCloudflare)
    assert.strictEqual(code, 1)
    assert.match(stderr, /mine.json is there already/)
    assert.isFalse(existsSync(desk.path(".dev.vars.cloudflare")))
    assert.strictEqual(readFileSync(desk.path("wrangler.toml"), "utf8"), toml)
  })

  it("hands the secrets to Cloudflare by stdin, never as arguments", async () => {
    const { code, json } = await desk.run([...toCloudflare, "--put", "--json"], env)
    assert.strictEqual(code, 0)
    const vars = parseVars(readFileSync(json["file"], "utf8"))
    assert.deepEqual(
      calls(),
      all.map((name) => ({ args: ["secret", "put", name], given: vars[name]! }))
    )
  })

  it("asks a question that nobody can answer only to say how to answer it beforehand", async () => {
    const { code, stderr } = await desk.run(["init"])
    assert.strictEqual(code, 1)
    assert.match(stderr, /--target local/)
  })
})

describe("nacre secret", () => {
  it("tells which secrets are set, here and on Cloudflare, and makes those that are missing here", async () => {
    writeFileSync(desk.path("wrangler.mjs"), wrangler(["MASTER_KEY"]))
    writeFileSync(desk.path(".dev.vars"), "MASTER_KEY=kept\n")
    const { json } = await desk.run(["secret", "--cloudflare", "--json"], env)
    assert.deepEqual(json["secrets"], [
      { name: "MASTER_KEY", local: true, deployed: true },
      { name: "PLC_ROTATION_KEY", local: false, deployed: false },
      { name: "ADMIN_PASSWORD", local: false, deployed: false }
    ])
    await desk.run(["secret", "make"])
    const vars = parseVars(readFileSync(desk.path(".dev.vars"), "utf8"))
    assert.strictEqual(vars["MASTER_KEY"], "kept")
    assert.isAtLeast(vars["ADMIN_PASSWORD"]!.length, 20)
  })
})

const serve = (answer: object): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((_, response) => response.end(JSON.stringify(answer)))
    server.listen(0, "127.0.0.1", () => resolve(server))
  })

// SAFETY: it listens on a port.
const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

describe("nacre deploy", () => {
  it("does not deploy a Worker that lacks a secret, and says which", async () => {
    writeFileSync(desk.path("wrangler.mjs"), wrangler(["MASTER_KEY", "ADMIN_PASSWORD"]))
    const { code, stderr } = await desk.run(["deploy", "--server", "https://pds.example.com"], env)
    assert.strictEqual(code, 1)
    assert.match(stderr, /lacks the secrets PLC_ROTATION_KEY/)
    assert.deepEqual(
      calls().map(({ args }) => args[0]),
      ["secret"]
    )
  })

  it("deploys, waits until the server is ready, and prints nothing but JSON on stdout", async () => {
    const server = await serve({ ready: true, version: "9.9.9", checks: {} })
    const url = urlOf(server)
    const { code, json, stderr } = await desk.run(["deploy", "--server", url, "--json"], env)
    server.close()
    assert.strictEqual(code, 0, stderr)
    assert.deepEqual(json as object, { server: url, version: "9.9.9", ready: true })
    assert.include(stderr, "words of wrangler")
    assert.deepEqual(calls().at(-1)?.args, ["deploy", "--minify"])
  })

  it("tells what the deployed server's configuration lacks", async () => {
    const problems = [{ variable: "MASTER_KEY", message: "is missing" }]
    const server = await serve({ ready: false, version: "9.9.9", problems })
    const { code, stderr } = await desk.run(["deploy", "--server", urlOf(server)], env)
    server.close()
    assert.strictEqual(code, 1)
    assert.match(stderr, /MASTER_KEY is missing/)
  })
})
