import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "jsonc-parser"
import { parseVars } from "../../scripts/env.ts"
import { type Desk, makeDesk } from "./command.ts"
import { type Cloudflare, fakeWrangler } from "./fakeWrangler.ts"
import { type Answer, runTyping } from "./typing.ts"

let desk: Desk
let cloudflare: Cloudflare
/** The responses of each host by path: `/ready` as JSON. */
let network: Map<string, unknown>

beforeEach(() => {
  desk = makeDesk()
  const template = join(import.meta.dirname, "../../create-nacre/template/wrangler.jsonc")
  copyFileSync(template, desk.path("wrangler.jsonc"))
  cloudflare = fakeWrangler(desk)
  network = new Map()
})
afterEach(() => desk.remove())

const fetchFrom = (input: string | URL | Request): Promise<Response> => {
  const { host, pathname } = new URL(input instanceof Request ? input.url : input)
  const found = [...network].find(([name]) => `${host}${pathname}`.endsWith(name))?.[1]
  return found === undefined
    ? Promise.reject(new TypeError("fetch failed"))
    : Promise.resolve(Response.json(found))
}

const run = (
  words: string,
  answers?: ReadonlyArray<Answer>,
  env: Readonly<Record<string, string>> = {}
) =>
  runTyping(words.split(" "), {
    env: {
      ...cloudflare.env,
      NACRE_CONFIG_DIR: desk.path("settings"),
      DATA_DIR: desk.path(".data"),
      ...env
    },
    // SAFETY: the command calls it with a URL or a request, and what it reads of the answer is there.
    fetch: fetchFrom as typeof globalThis.fetch,
    folder: desk.folder,
    ...(answers === undefined ? {} : { answers })
  })

const config = () => parse(readFileSync(desk.path("wrangler.jsonc"), "utf8"))

const ready = { ready: true, version: "9.9.9", checks: {} }

const noQuestions =
  "init --target cloudflare --domain pds.example.com --location anywhere --first-account new --recovery-key none --put --json"

describe("the questions of nacre init", () => {
  it("one person gets a handle that is the host itself, and no wildcard to set up", async () => {
    const ran = await run("init", [
      [/Where should the server run/, 0],
      [/Who is this server for/, 0],
      [/host name, which becomes your handle/, "Alice.Example.com"],
      [/Where should data be stored/, 0],
      [/Should the server send email/, 0],
      [/Your account/, 0],
      [/Upload them to Cloudflare now/, 2],
      [/File for your recovery key/, "none"]
    ])
    assert.isTrue(ran.isContent, ran.stderr)
    assert.deepStrictEqual(ran.unasked, [])
    assert.match(ran.stderr, /You need:[\s\S]*domain on it[\s\S]*R2 switched on/)
    assert.deepStrictEqual(config().vars, { PUBLIC_URL: "https://alice.example.com" })
    assert.deepStrictEqual(config().routes, [{ pattern: "alice.example.com", custom_domain: true }])
    assert.include(ran.stdout, "account create alice.example.com --email")
    assert.notInclude(ran.stdout, "DNS record")
  })

  it("a family gets names of the zone, their route, and the DNS record that they need", async () => {
    const ran = await run("init --target cloudflare --location anywhere", [
      [/Who is this server for/, 1],
      [/host name/, "pds.example.com"],
      [/as Cloudflare lists it/, ""],
      [/What should handles look like/, 0],
      [/Should the server send email/, 2],
      [/Sender/, "nobody"],
      [/Enter an address/, `${"\b".repeat(6)}pds@example.com`],
      [/Your account/, 0],
      [/Upload them to Cloudflare now/, 0],
      [/File for your recovery key/, "none"]
    ])
    assert.isTrue(ran.isContent, ran.stderr)
    assert.deepStrictEqual(ran.unasked, [])
    assert.deepStrictEqual(config().vars, {
      PUBLIC_URL: "https://pds.example.com",
      HANDLE_DOMAINS: ".example.com",
      MAILER: "cloudflare",
      MAIL_FROM: "pds@example.com"
    })
    assert.deepStrictEqual(config().routes, [
      { pattern: "pds.example.com", custom_domain: true },
      { pattern: "*.example.com/*", zone_name: "example.com" }
    ])
    assert.deepStrictEqual(config().send_email, [{ name: "MAIL" }])
    assert.include(ran.stdout, "in example.com, type AAAA, name *, content 100::, proxied")
    assert.include(ran.stdout, "npx nacre invite create --server https://pds.example.com")
  })

  it("handles below the host say what their certificate costs, and get a record of their own", async () => {
    const ran = await run(
      "init --target cloudflare --location anywhere --mail none --first-account new --recovery-key none --put",
      [
        [/Who is this server for/, 2],
        [/host name/, "pds.example.com"],
        [/as Cloudflare lists it/, ""],
        [/advanced certificate, about 10 US dollars a month/, 1]
      ]
    )
    assert.isTrue(ran.isContent, ran.stderr)
    assert.strictEqual(config().vars.HANDLE_DOMAINS, ".pds.example.com")
    assert.include(ran.stdout, "in example.com, type AAAA, name *.pds, content 100::, proxied")
  })

  it("a provider's token goes into the copy of the secrets and to Cloudflare, never into the configuration", async () => {
    const words = `${noQuestions} --mail http --mail-from pds@example.com --mail-url https://mail.example/send`
    const ran = await run(words, undefined, { MAIL_HTTP_TOKEN: "the provider's token" })
    assert.isTrue(ran.isContent, ran.stderr)
    assert.strictEqual(config().vars.MAIL_HTTP_URL, "https://mail.example/send")
    assert.notInclude(readFileSync(desk.path("wrangler.jsonc"), "utf8"), "token")
    const copy = parseVars(readFileSync(desk.path(".secrets.production"), "utf8"))
    assert.strictEqual(copy["MAIL_HTTP_TOKEN"], "the provider's token")
    assert.strictEqual(cloudflare.state().secrets[""]?.["MAIL_HTTP_TOKEN"], "the provider's token")
  })

  it("a file that can't hold the recovery key is asked for again", async () => {
    writeFileSync(desk.path("letter.txt"), "Dear Alice")
    const ran = await run("init --target local", [
      [/File for your recovery key/, desk.path("letter.txt")],
      [/isn't a recovery key[\s\S]*File for your recovery key/, desk.path("mine.json")],
      [/Show the key once/, "n"]
    ])
    assert.isTrue(ran.isContent, ran.stderr)
    assert.strictEqual(readFileSync(desk.path("letter.txt"), "utf8"), "Dear Alice")
    assert.isTrue(existsSync(desk.path("mine.json")))
  })

  it("over SSH, signing in to Cloudflare names CLOUDFLARE_API_TOKEN and opens no browser", async () => {
    cloudflare.set({ signedIn: false })
    const ran = await run(
      "init --target cloudflare --for me --domain pds.example.com --location anywhere --mail none --first-account new --recovery-key none",
      [[/Upload them to Cloudflare now/, 2]],
      { SSH_CONNECTION: "203.0.113.5 50000 203.0.113.6 22" }
    )
    assert.isTrue(ran.isContent, ran.stderr)
    assert.include(ran.stderr, "CLOUDFLARE_API_TOKEN")
    assert.isFalse(cloudflare.calls().some(({ args }) => args[0] === "login"))
  })
})

describe("the steps that nacre init prints", () => {
  it("the printed steps omit those that are already done", async () => {
    const first = await run(`${noQuestions} --for family --handles zone`)
    assert.isTrue(first.isContent, first.stderr)
    const names = (steps: ReadonlyArray<string>) =>
      steps.map((step) => /DNS record|deploy|account create|invite create/.exec(step)?.[0] ?? step)
    assert.deepStrictEqual(names(first.json.next), [
      "DNS record",
      "deploy",
      "account create",
      "invite create"
    ])
    network.set("pds.example.com/ready", ready)
    const deployed = await run(noQuestions)
    assert.deepStrictEqual(names(deployed.json.next), [
      "DNS record",
      "account create",
      "invite create"
    ])
    network.set(".example.com/ready", ready)
    network.set("/xrpc/com.atproto.sync.listRepos", {
      repos: [{ did: `did:plc:${"a".repeat(24)}` }]
    })
    const used = await run(noQuestions)
    assert.deepStrictEqual(names(used.json.next), ["invite create"])
  })
})

describe("keys and git", () => {
  beforeEach(() => {
    execFileSync("git", ["init", "--quiet"], { cwd: desk.folder })
  })

  it("a recovery key is never written into a git work tree", async () => {
    writeFileSync(desk.path(".gitignore"), ".secrets.*\nmine.json\n")
    const ran = await run(noQuestions.replace("--recovery-key none", "--recovery-key mine.json"))
    assert.isFalse(ran.isContent)
    assert.match(ran.json.message, /inside the git repository/)
    assert.match(ran.json.next, /~\/mine\.json/)
    assert.isFalse(existsSync(desk.path("mine.json")))
    assert.isUndefined(config().routes)
  })

  it("secrets are written into a git work tree only if git ignores them", async () => {
    const refused = await run(noQuestions)
    assert.isFalse(refused.isContent)
    assert.match(refused.json.next, /\.secrets\.\*/)
    assert.isFalse(existsSync(desk.path(".secrets.production")))
    assert.isUndefined(config().routes)
    writeFileSync(desk.path(".gitignore"), ".secrets.*\n")
    const ran = await run(noQuestions)
    assert.isTrue(ran.isContent, ran.stderr)
  })
})

describe("the database of a jurisdiction", () => {
  const inEurope = noQuestions.replace("anywhere", "eu")

  it("init creates the database in the jurisdiction of the other data", async () => {
    const ran = await run(inEurope)
    assert.isTrue(ran.isContent, ran.stderr)
    assert.deepStrictEqual(cloudflare.state().databases, { "my-pds-directory": "eu" })
  })

  it("deploy creates a missing database there, and refuses one elsewhere", async () => {
    await run(inEurope)
    network.set("pds.example.com/ready", ready)
    cloudflare.set({ databases: {} })
    const deployed = await run("deploy")
    assert.isTrue(deployed.isContent, deployed.stderr)
    assert.deepStrictEqual(cloudflare.state().databases, { "my-pds-directory": "eu" })
    cloudflare.set({ databases: { "my-pds-directory": null } })
    const before = cloudflare.calls().filter(({ args }) => args[0] === "deploy").length
    const refused = await run("deploy --json")
    assert.isFalse(refused.isContent)
    assert.match(refused.json.message, /isn't in the jurisdiction eu/)
    assert.lengthOf(
      cloudflare.calls().filter(({ args }) => args[0] === "deploy"),
      before
    )
  })
})
