import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import {
  copyFileSync,
  existsSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync
} from "node:fs"
import { parse } from "jsonc-parser"
import { join } from "node:path"
import { parseVars } from "../../scripts/env.ts"
import { type Desk, makeDesk } from "./command.ts"
import { type Cloudflare, fakeWrangler } from "./fakeWrangler.ts"

let desk: Desk
let cloudflare: Cloudflare

const all = ["MASTER_KEY", "PLC_ROTATION_KEY", "ADMIN_PASSWORD"]

const read = (name: string): string => readFileSync(desk.path(name), "utf8")

beforeEach(() => {
  desk = makeDesk()
  copyFileSync(join(import.meta.dirname, "../../wrangler.toml"), desk.path("wrangler.toml"))
  cloudflare = fakeWrangler(desk)
})
afterEach(() => desk.remove())

const run = (words: string) => desk.run(words.split(" "), cloudflare.env)

const toCloudflare =
  "init --target cloudflare --domain pds.example.com --location eu --first-account new --recovery-key mine.json"

const toStaging =
  "init --target cloudflare --env staging --domain staging.example.com --location anywhere --first-account new --recovery-key none"

describe("nacre init", () => {
  it("init creates secrets and a recovery key readable only by their owner, prints none, and overwrites nothing", async () => {
    const first = await run(toCloudflare)
    assert.strictEqual(first.code, 0, first.stderr)
    const file = desk.path(".secrets.production")
    const vars = parseVars(readFileSync(file, "utf8"))
    const key = JSON.parse(read("mine.json"))
    for (const secret of [...all.map((name) => vars[name]!), key.privateKey]) {
      assert.isAtLeast(secret.length, 20)
      assert.notInclude(first.stdout + first.stderr, secret)
    }
    assert.strictEqual(vars["PUBLIC_URL"], "https://pds.example.com")
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    assert.strictEqual(statSync(desk.path("mine.json")).mode & 0o777, 0o600)
    const before = [".secrets.production", "mine.json", "wrangler.toml"].map(read)
    const again = await run(toCloudflare)
    assert.strictEqual(again.code, 0, again.stderr)
    assert.include(again.stdout, "Kept the secrets")
    assert.deepStrictEqual([".secrets.production", "mine.json", "wrangler.toml"].map(read), before)
  })

  it("init adds the address to wrangler.toml and keeps every other line", async () => {
    const before = read("wrangler.toml").split("\n")
    const { code, stdout, stderr } = await run(toCloudflare)
    assert.strictEqual(code, 0, stderr)
    const after = read("wrangler.toml").split("\n")
    assert.deepStrictEqual(
      before.filter((line) => !after.includes(line)),
      []
    )
    assert.deepStrictEqual(
      after.filter((line) => !before.includes(line)),
      [
        'routes = [{ pattern = "pds.example.com", custom_domain = true }]',
        'jurisdiction = "eu"',
        'jurisdiction = "eu"',
        "[vars]",
        'PUBLIC_URL = "https://pds.example.com"',
        'DATA_LOCATION = "eu"'
      ]
    )
    for (const bucket of ["blobs", "backups"]) {
      const placed = `bucket_name = "nacre-${bucket}"\njurisdiction = "eu"`
      assert.include(read("wrangler.toml"), placed)
    }
    assert.include(stdout, "npx wrangler d1 create nacre-directory --jurisdiction eu")
    // Must be above every table, or it would belong to one.
    assert.isBelow(
      after.findIndex((line) => line.startsWith("routes")),
      after.findIndex((line) => line.startsWith("["))
    )
  })

  it("init sets up staging next to production, with its own sections and secrets", async () => {
    await run(toCloudflare)
    const { code, stderr, json } = await run(`${toStaging} --json`)
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(json.environment, "staging")
    assert.include(json.next.join("\n"), "npx nacre secret put --env staging")
    const toml = read("wrangler.toml")
    const staging = toml.slice(toml.indexOf("[env.staging]"), toml.indexOf("[env.dev]"))
    assert.include(staging, 'routes = [{ pattern = "staging.example.com", custom_domain = true }]')
    assert.match(
      staging,
      /\[env\.staging\.vars\][^[]*PUBLIC_URL = "https:\/\/staging\.example\.com"/
    )
    const production = parseVars(read(".secrets.production"))
    const other = parseVars(read(".secrets.staging"))
    for (const name of all) assert.notStrictEqual(other[name], production[name])
  })

  it("init fails before it creates anything if wrangler.toml has another address", async () => {
    await run(toStaging)
    const before = read("wrangler.toml")
    const { code, stderr } = await run(toStaging.replace("staging.example", "other.example"))
    assert.strictEqual(code, 1)
    assert.match(stderr, /PUBLIC_URL = "https:\/\/staging\.example\.com" for staging/)
    assert.match(stderr, /Nothing was changed/)
    assert.strictEqual(read("wrangler.toml"), before)
  })

  it("init leaves a wrangler.toml that it can't extend, and says what to add", async () => {
    const toml = 'name = "nacre"\nvars = { LOG_LEVEL = "debug" }\n'
    writeFileSync(desk.path("wrangler.toml"), toml)
    const { code, stderr } = await run(toCloudflare)
    assert.strictEqual(code, 1)
    assert.match(stderr, /"PUBLIC_URL": "https:\/\/pds\.example\.com"/)
    assert.strictEqual(read("wrangler.toml"), toml)
    for (const name of [".secrets.production", "mine.json", "wrangler.toml.new"]) {
      assert.isFalse(existsSync(desk.path(name)), name)
    }
  })

  it("init never lets an environment inherit production's routes", async () => {
    writeFileSync(desk.path("wrangler.toml"), 'name = "nacre"\n\n[env.staging]\nname = "other"\n')
    const { code, stderr } = await run(toCloudflare)
    assert.strictEqual(code, 1)
    assert.match(stderr, /Add routes = \[\] to its section/)
    assert.notInclude(read("wrangler.toml"), "routes")
  })

  it("init creates nothing if the recovery key's file exists", async () => {
    writeFileSync(desk.path("mine.json"), "another key")
    const before = read("wrangler.toml")
    const { code, stderr } = await run(toCloudflare)
    assert.strictEqual(code, 1)
    assert.match(stderr, /mine.json already exists/)
    assert.isFalse(existsSync(desk.path(".secrets.production")))
    assert.strictEqual(read("wrangler.toml"), before)
  })

  it("init passes secrets to Cloudflare through stdin, never as arguments", async () => {
    const { code, json } = await run(`${toCloudflare} --put --json`)
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(json.handed, all)
    const vars = parseVars(read(".secrets.production"))
    for (const name of all) {
      assert.strictEqual(cloudflare.state().secrets[""]?.[name], vars[name])
      assert.notInclude(JSON.stringify(cloudflare.calls()), vars[name]!)
    }
  })

  it("init puts secrets into a Secrets Store and binds each in wrangler.toml", async () => {
    const { code, stderr, json } = await run(`${toStaging} --secrets-store 0a1b --json`)
    assert.strictEqual(code, 0, stderr)
    assert.deepStrictEqual(json.handed, all)
    const vars = parseVars(read(".secrets.staging"))
    for (const name of all) {
      assert.strictEqual(cloudflare.state().store[`nacre-staging_${name}`], vars[name])
      assert.notInclude(JSON.stringify(cloudflare.calls()), vars[name]!)
      assert.include(
        read("wrangler.toml"),
        `[[env.staging.secrets_store_secrets]]\nbinding = "${name}"\nstore_id = "0a1b"\nsecret_name = "nacre-staging_${name}"\n`
      )
    }
    const again = await run(`${toStaging} --secrets-store 0a1b --json`)
    assert.strictEqual(again.code, 0, again.stderr)
    assert.deepStrictEqual(again.json.handed, [])
  })

  it("init creates no new secrets for a server that already has secrets", async () => {
    cloudflare.set({ secrets: { "": { MASTER_KEY: "the real one" } } })
    for (const words of ["--put", "", "--secrets-store 0a1b"]) {
      const { code, stderr } = await run(`${toCloudflare} ${words}`.trim())
      assert.strictEqual(code, 1, words)
      assert.match(stderr, /nacre already has MASTER_KEY/)
      assert.isFalse(existsSync(desk.path(".secrets.production")))
    }
    const made = await run("secret make --env production")
    assert.match(made.stderr, /nacre already has MASTER_KEY/)
    assert.isFalse(existsSync(desk.path(".secrets.production")))
    assert.deepStrictEqual(cloudflare.state().secrets, { "": { MASTER_KEY: "the real one" } })
  })

  it("init creates no new secrets if an unnamed store has them", async () => {
    cloudflare.set({ store: { "nacre-staging_MASTER_KEY": "the real one" } })
    const { code, stderr } = await run(`${toStaging} --secrets-store 0a1b`)
    assert.strictEqual(code, 1)
    assert.match(stderr, /nacre-staging already has MASTER_KEY/)
    assert.isFalse(existsSync(desk.path(".secrets.staging")))
  })

  it("init creates secrets without asking Cloudflare if nobody is signed in", async () => {
    cloudflare.set({ signedIn: false })
    const { code, stderr } = await run(toCloudflare)
    assert.strictEqual(code, 0, stderr)
    assert.deepStrictEqual(Object.keys(parseVars(read(".secrets.production"))).slice(0, 3), all)
  })

  it("init writes the chosen Cloudflare account, and rejects one without access", async () => {
    const accounts = [
      { id: "aaaa", name: "Mine" },
      { id: "bbbb", name: "The Coop" }
    ]
    cloudflare.set({ accounts })
    const refused = await desk.run(
      [...toCloudflare.split(" "), "--cloudflare-account", "Theirs"],
      cloudflare.env
    )
    assert.strictEqual(refused.code, 1)
    assert.match(refused.stderr, /Mine \(aaaa\), The Coop \(bbbb\)/)
    const chosen = [...toCloudflare.split(" "), "--put", "--cloudflare-account", "The Coop"]
    const { code, stderr } = await desk.run(chosen, cloudflare.env)
    assert.strictEqual(code, 0, stderr)
    assert.match(read("wrangler.toml"), /^account_id = "bbbb"$/m)
    const asked = cloudflare.calls().filter(({ args }) => args[0] === "secret")
    assert.deepStrictEqual(new Set(asked.map(({ account }) => account)), new Set(["bbbb"]))
  })

  it("init without a terminal fails and names the flag that answers the question", async () => {
    const { code, stderr } = await run("init")
    assert.strictEqual(code, 1)
    assert.match(stderr, /--target local/)
  })
})

describe("nacre secret", () => {
  it("secret lists the local server's secrets, and secret make creates missing ones", async () => {
    writeFileSync(desk.path(".dev.vars"), "MASTER_KEY=kept\n")
    const { json } = await run("secret --json")
    assert.deepEqual(json.secrets, [
      { name: "MASTER_KEY", local: true },
      { name: "PLC_ROTATION_KEY", local: false },
      { name: "ADMIN_PASSWORD", local: false }
    ])
    await run("secret make")
    const vars = parseVars(read(".dev.vars"))
    assert.strictEqual(vars["MASTER_KEY"], "kept")
    assert.isAtLeast(vars["ADMIN_PASSWORD"]!.length, 20)
    assert.deepStrictEqual(cloudflare.calls(), [])
  })

  it("secret --env lists a deployed server's secrets", async () => {
    cloudflare.set({ secrets: { staging: { MASTER_KEY: "there" } } })
    writeFileSync(desk.path(".secrets.staging"), "ADMIN_PASSWORD=here\n")
    const { json } = await run("secret --env staging --json")
    assert.deepEqual(json.secrets, [
      { name: "MASTER_KEY", local: false, deployed: true, inStore: false },
      { name: "PLC_ROTATION_KEY", local: false, deployed: false, inStore: false },
      { name: "ADMIN_PASSWORD", local: true, deployed: false, inStore: false }
    ])
  })

  it("secret put uploads missing secrets and replaces none", async () => {
    cloudflare.set({ secrets: { staging: { MASTER_KEY: "theirs" } } })
    const copy = "MASTER_KEY=ours\nADMIN_PASSWORD=mine\nMAIL_HTTP_TOKEN=token\n"
    writeFileSync(desk.path(".secrets.staging"), copy)
    const { code, json } = await run("secret put --env staging --json")
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(json.put, ["ADMIN_PASSWORD", "MAIL_HTTP_TOKEN"])
    assert.deepStrictEqual(cloudflare.state().secrets, {
      staging: { MASTER_KEY: "theirs", ADMIN_PASSWORD: "mine", MAIL_HTTP_TOKEN: "token" }
    })
  })

  it("secret put replaces no secret of the Worker if a store has all required ones", async () => {
    await run(`${toStaging} --secrets-store 0a1b`)
    cloudflare.set({ secrets: { staging: { MAIL_HTTP_TOKEN: "the real one" } } })
    writeFileSync(desk.path(".secrets.staging"), `${read(".secrets.staging")}MAIL_HTTP_TOKEN=old\n`)
    const { code, json } = await run("secret put --env staging --json")
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(json.put, [])
    assert.deepStrictEqual(cloudflare.state().secrets, {
      staging: { MAIL_HTTP_TOKEN: "the real one" }
    })
  })

  it("secret put uploads nothing while Cloudflare doesn't list its secrets", async () => {
    cloudflare.set({ signedIn: false })
    writeFileSync(desk.path(".secrets.production"), "MASTER_KEY=ours\n")
    const { code, stderr } = await run("secret put")
    assert.strictEqual(code, 1)
    assert.match(stderr, /npx wrangler login/)
    assert.deepStrictEqual(cloudflare.state().secrets, {})
  })

  it("secret put reports why wrangler rejected a secret", async () => {
    cloudflare.set({ fails: "put" })
    writeFileSync(desk.path(".secrets.production"), "MASTER_KEY=ours\n")
    const { code, stderr } = await run("secret put")
    assert.strictEqual(code, 1)
    assert.match(stderr, /reasons of wrangler/)
    assert.notInclude(stderr, "ours")
  })
})

const serve = (answer: object): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((_, response) => response.end(JSON.stringify(answer)))
    server.listen(0, "127.0.0.1", () => resolve(server))
  })

// SAFETY: it listens on a port.
const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const secretsOf = (names: ReadonlyArray<string>) =>
  Object.fromEntries(names.map((name) => [name, "there"]))

describe("nacre deploy", () => {
  beforeEach(() => cloudflare.set({ secrets: { "": secretsOf(all), staging: secretsOf(all) } }))

  const deployed = () =>
    cloudflare.calls().flatMap(({ args }) => (args[0] === "deploy" ? [args.join(" ")] : []))

  it("deploy refuses a Worker without a required secret, and names it", async () => {
    cloudflare.set({ secrets: { "": secretsOf(["MASTER_KEY", "ADMIN_PASSWORD"]) } })
    const { code, stderr } = await run("deploy --server https://pds.example.com")
    assert.strictEqual(code, 1)
    assert.match(stderr, /has no PLC_ROTATION_KEY/)
    assert.match(stderr, /npx nacre secret put$/m)
    assert.deepStrictEqual(deployed(), [])
  })

  it("deploy refuses an environment that doesn't exist or has no address", async () => {
    const unnamed = await run("deploy --env staging")
    assert.strictEqual(unnamed.code, 1)
    assert.match(unnamed.stderr, /npx nacre init --target cloudflare --env staging/)
    const unknown = await run("deploy --env stagging")
    assert.strictEqual(unknown.code, 1)
    assert.match(unknown.stderr, /Environments: production, staging, dev\./)
    assert.deepStrictEqual(deployed(), [])
  })

  it("deploy waits until the server is ready, and prints only JSON on stdout", async () => {
    const server = await serve({ ready: true, version: "9.9.9", checks: {} })
    const url = urlOf(server)
    const args = ["deploy", "--server", url, "--json"]
    const { code, json, stderr } = await desk.spawn(args, cloudflare.env)
    const staging = await run(`deploy --env staging --server ${url}`)
    server.close()
    assert.strictEqual(code, 0, stderr)
    assert.deepEqual(json, { server: url, version: "9.9.9", ready: true })
    assert.include(stderr, "words of wrangler")
    assert.strictEqual(staging.code, 0, staging.stderr)
    assert.deepEqual(deployed(), ["deploy --minify --env=", "deploy --minify --env=staging"])
  })

  it("deploy reports what the server's configuration lacks", async () => {
    const problems = [{ variable: "MASTER_KEY", message: "is missing" }]
    const server = await serve({ ready: false, version: "9.9.9", problems })
    const { code, stderr } = await run(`deploy --server ${urlOf(server)}`)
    server.close()
    assert.strictEqual(code, 1)
    assert.match(stderr, /MASTER_KEY is missing/)
  })
})

describe("nacre init in a project that npm create nacre made", () => {
  const parsed = () => parse(read("wrangler.jsonc"))

  beforeEach(() => {
    unlinkSync(desk.path("wrangler.toml"))
    const template = join(import.meta.dirname, "../../create-nacre/template/wrangler.jsonc")
    copyFileSync(template, desk.path("wrangler.jsonc"))
  })

  it("init edits an existing wrangler.jsonc, keeps its comments, and changes nothing the second time", async () => {
    const before = read("wrangler.jsonc")
    const was = parsed()
    const { code, stderr } = await run(toCloudflare)
    assert.strictEqual(code, 0, stderr)
    const comments = before.split("\n").filter((line) => line.trim().startsWith("//"))
    assert.isAbove(comments.length, 2)
    const after = read("wrangler.jsonc")
    for (const comment of comments) assert.include(after, comment)
    assert.deepStrictEqual(parsed(), {
      ...was,
      r2_buckets: was.r2_buckets.map((one: object) => ({ ...one, jurisdiction: "eu" })),
      routes: [{ pattern: "pds.example.com", custom_domain: true }],
      vars: { PUBLIC_URL: "https://pds.example.com", DATA_LOCATION: "eu" }
    })
    assert.strictEqual((await run(toCloudflare)).code, 0)
    assert.strictEqual(read("wrangler.jsonc"), after)
  })

  it("init binds a store's secrets in wrangler.jsonc", async () => {
    const { code, stderr } = await run(`${toCloudflare} --secrets-store 5ec2e7`)
    assert.strictEqual(code, 0, stderr)
    assert.deepStrictEqual(
      parsed().secrets_store_secrets,
      all.map((binding) => ({ binding, store_id: "5ec2e7", secret_name: `my-pds_${binding}` }))
    )
  })

  it("init names the invalid line of a wrangler.jsonc, and writes nothing", async () => {
    const broken = read("wrangler.jsonc").replace('"main":', "main:")
    writeFileSync(desk.path("wrangler.jsonc"), broken)
    const { code, stderr } = await run(toCloudflare)
    assert.strictEqual(code, 1)
    assert.include(stderr, "wrangler.jsonc is invalid: line 4 isn't valid JSON")
    assert.strictEqual(read("wrangler.jsonc"), broken)
    assert.isFalse(existsSync(desk.path(".secrets.production")))
  })
})
