import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { importsOf } from "../../scripts/walls.ts"
import { version } from "../../src/core/host/version.ts"
import { type Desk, makeDesk } from "./command.ts"
import { runTyping } from "./typing.ts"

let desk: Desk

beforeEach(() => {
  desk = makeDesk()
})
afterEach(() => desk.remove())

const run = (words: string, answer?: object) =>
  runTyping(words.split(" "), {
    env: {
      NACRE_CONFIG_DIR: desk.path("settings"),
      DATA_DIR: desk.path(".data"),
      NACRE_ADMIN_PASSWORD: "x"
    },
    // SAFETY: the command only reads these parts of a response.
    fetch: (() =>
      answer === undefined
        ? Promise.reject(new TypeError("fetch failed"))
        : Promise.resolve(Response.json(answer))) as typeof globalThis.fetch,
    folder: desk.folder
  })

describe("the start of the command", () => {
  it("the command prints the version before it loads the other commands", async () => {
    const { code, stdout } = await desk.spawn(["--version"])
    assert.strictEqual(code, 0)
    assert.strictEqual(stdout, `nacre v${version}\n`)
    const program = readFileSync(join(import.meta.dirname, "../../src/cli.ts"), "utf8")
    const loaded = importsOf(program.replace(/await import\([^)]*\)/g, ""))
    assert.deepStrictEqual(loaded, ["node:module", "./core/host/version.ts"])
  })
})

describe("nacre version", () => {
  it("version shows only the command's version if no server is chosen", async () => {
    const { isContent, json } = await run("version --json")
    assert.isTrue(isContent)
    assert.deepStrictEqual(json, { command: version, node: process.versions.node })
  })

  it("version shows the server's version, and says if the server doesn't answer", async () => {
    const words = "version --json --server https://pds.test"
    const answered = await run(words, { ready: true, version: "9.9.9" })
    assert.strictEqual(answered.json.version, "9.9.9")
    const silent = await run(words)
    assert.isTrue(silent.isContent)
    assert.match(silent.stderr, /https:\/\/pds\.test doesn't answer/)
  })
})

describe("nacre status", () => {
  it("status names the database and the blob store of a server on one machine, and Cloudflare's services elsewhere", async () => {
    const names = async (checks: Readonly<Record<string, string>>) => {
      // With problems in its configuration, a server answers nothing but this.
      const answer = { ready: false, version, checks, problems: [] }
      const { json } = await run("status --json --server https://pds.test", answer)
      return json.health.map(({ name, ok }: { name: string; ok: boolean }) => `${name}: ${ok}`)
    }
    const cloudflare = { d1: "ok", r2: "error", sequencer: "ok" }
    assert.deepStrictEqual(await names(cloudflare), ["d1: true", "r2: false", "sequencer: true"])
    assert.deepStrictEqual(await names({ ...cloudflare, disk: "full" }), [
      "database: true",
      "blob store: false",
      "sequencer: true",
      "disk: false"
    ])
  })
})

describe("nacre check", () => {
  it("check --all reports an account that the server can't read, soon, and checks the others", async () => {
    const [damaged, sound] = ["did:plc:damaged", "did:plc:sound"]
    const pauses: Array<number> = []
    const asked: Array<string> = []
    const answer = (url: URL): Response => {
      if (url.pathname.endsWith("listRepos")) {
        return Response.json({ repos: [{ did: damaged }, { did: sound }] })
      }
      const account = url.searchParams.get("account")
      asked.push(account ?? "")
      return account === damaged
        ? Response.json({ error: "ServiceUnavailable", message: "broken" }, { status: 503 })
        : Response.json({ did: sound, records: 2, nodes: 1, blobs: 1, missing: 0, problems: [] })
    }
    const { code, json, stderr } = await runTyping(
      ["check", "--all", "--json", "--server", "https://pds.test"],
      {
        env: { NACRE_CONFIG_DIR: desk.path("settings"), NACRE_ADMIN_PASSWORD: "x" },
        // SAFETY: the command only reads these parts of a response.
        fetch: ((url: string | URL) =>
          Promise.resolve(answer(new URL(url)))) as typeof globalThis.fetch,
        folder: desk.folder,
        pauses
      }
    )
    assert.strictEqual(code, 1)
    assert.deepStrictEqual(
      json.accounts.map(({ did, problems }: { did: string; problems: Array<string> }) => [
        did,
        problems.length
      ]),
      [
        [damaged, 1],
        [sound, 0]
      ]
    )
    assert.include(stderr, `${damaged}: the server couldn't check it: broken`)
    assert.deepStrictEqual(asked, [damaged, damaged, damaged, damaged, sound])
    assert.isBelow(
      pauses.reduce((sum, pause) => sum + pause, 0),
      5000
    )
  })
})

describe("nacre mail test", () => {
  it("mail test names the address, or the variable of a server that sends no mail", async () => {
    const words = "mail test alice.test --json --server https://pds.test"
    const sent = await run(words, { to: "alice@example.com", sent: true })
    assert.deepStrictEqual(sent.json, { to: "alice@example.com", sent: true })
    const silent = await run(words, { to: "alice@example.com", sent: false })
    assert.strictEqual(silent.code, 1)
    assert.deepInclude(silent.json, {
      message: "https://pds.test doesn't send email",
      next: "Set MAILER: see docs/operate/mail.md"
    })
  })
})

describe("nacre open", () => {
  const open = (exitCode: number) => {
    mkdirSync(desk.path("bin"), { recursive: true })
    for (const name of ["xdg-open", "open"]) {
      const file = desk.path(`bin/${name}`)
      writeFileSync(file, `#!/bin/sh\necho "$@" > opened.txt\nexit ${exitCode}\n`)
      chmodSync(file, 0o755)
    }
    return desk.run(["open", "--server", "https://pds.test", "--json"], {
      PATH: `${desk.path("bin")}${delimiter}${process.env["PATH"]}`
    })
  }

  it("open opens the account's page, and prints its address if no browser opens", async () => {
    const url = "https://pds.test/account"
    const opened = await open(0)
    assert.deepStrictEqual(opened.json, { url, opened: true })
    assert.isTrue(existsSync(desk.path("opened.txt")))
    assert.strictEqual(readFileSync(desk.path("opened.txt"), "utf8").trim(), url)
    const closed = await open(1)
    assert.strictEqual(closed.code, 0)
    assert.deepStrictEqual(closed.json, { url, opened: false })
    assert.match(closed.stderr, /Open the address above yourself/)
  })
})
