import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { parseVars } from "../../scripts/env.ts"
import { formatDidKey, publicKeyOf } from "../../src/core/identity/didKey.ts"
import { masterFingerprint } from "../../src/core/host/fingerprint.ts"
import { type Desk, makeDesk } from "./command.ts"
import { type Cloudflare, fakeWrangler } from "./fakeWrangler.ts"

const old = Buffer.alloc(32, 5).toString("base64url")

/** A server with keys that moves one step with each request. */
const startServer = async (keyOf: () => string | undefined, phases: ReadonlyArray<string>) => {
  let calls = 0
  const server = createServer((request, response) => {
    const key = keyOf()
    const phase = phases[Math.min(calls, phases.length - 1)] ?? "done"
    if (request.url === "/admin/keys/master" && request.method === "POST" && key !== undefined) {
      calls += 1
      const at = {
        fingerprint: masterFingerprint(Buffer.from(key, "base64url")),
        phase,
        accounts: 3,
        rewrapped: 3,
        backups: 2,
        failed: phase === "rewrap" ? 1 : 0,
        failures: phase === "rewrap" ? [{ did: "did:plc:away", problem: "can't be reached" }] : [],
        damaged: 0,
        problems: [],
        finishableAt: 1_800_000_000_000,
        isHeldUp: phase !== "done" && phase !== "on",
        isBackupOpen: phase === "backups"
      }
      response.setHeader("content-type", "application/json")
      return response.end(JSON.stringify(at))
    }
    response.statusCode = 400
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify({ error: "InvalidRequest", message: "only one master key" }))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => new Promise<void>((resolve) => void server.close(() => resolve()))
  }
}

let desk: Desk
let cloudflare: Cloudflare
const stops: Array<() => Promise<void>> = []
beforeEach(() => {
  desk = makeDesk()
  cloudflare = fakeWrangler(desk)
  writeFileSync(desk.path("package.json"), "{}")
  writeFileSync(desk.path("wrangler.jsonc"), JSON.stringify({ name: "pds" }))
})
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
  desk.remove()
})

const varsIn = (name: string) => parseVars(readFileSync(desk.path(name), "utf8"))

/** A server that replaces its PLC key in one account with each request, and asks to wait between. */
const startPlcServer = async (
  keyOf: () => string,
  ends: ReadonlyArray<"wait" | "failed" | "done">
) => {
  let calls = 0
  let runs = 0
  const at = () => {
    const end = ends[runs] ?? "done"
    const isLast = calls % 2 === 0
    if (isLast) runs += 1
    const did = isLast ? "did:plc:second" : "did:plc:first"
    const refused = isLast && end === "failed"
    const fault = { did: "did:plc:second", problem: "too many operations" }
    return {
      fingerprint: formatDidKey(publicKeyOf("k256", Buffer.from(keyOf(), "hex"))),
      phase: isLast && end !== "failed" ? end : "replace",
      accounts: 2,
      replaced: refused ? 1 : 2,
      left: 1,
      leavings: [{ did: "did:plc:gone", problem: "its DID points to another server" }],
      failed: refused ? 1 : 0,
      failures: refused ? [fault] : [],
      finishableAt: 1_800_000_000_000,
      pausedUntil: isLast ? 0 : Date.now() + 50,
      isHeldUp: isLast && end !== "done",
      reported: [
        end === "done"
          ? { did, outcome: "current" }
          : refused
            ? { did, outcome: "refused", reason: fault.problem }
            : { did, outcome: "replaced" }
      ]
    }
  }
  const server = createServer((request, response) => {
    const isRotation = request.url === "/admin/keys/plc" && request.method === "POST"
    if (isRotation) calls += 1
    response.statusCode = isRotation ? 200 : 404
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify(isRotation ? at() : {}))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  stops.push(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  return `http://127.0.0.1:${port}`
}

describe("nacre secret rotate PLC_ROTATION_KEY", () => {
  it("the command reports each account, continues after a refusal, and removes the old key at the end", async () => {
    const before = "42".repeat(32)
    writeFileSync(desk.path(".dev.vars"), `PLC_ROTATION_KEY=${before}\n`)
    const key = () => varsIn(".dev.vars")["PLC_ROTATION_KEY"] ?? ""
    const url = await startPlcServer(key, ["failed", "wait", "done"])
    const env = { NACRE_SERVER: url, NACRE_ADMIN_PASSWORD: "an administrator here" }
    const run = (...more: ReadonlyArray<string>) =>
      desk.run(["secret", "rotate", "PLC_ROTATION_KEY", "--yes", ...more], env)

    const refused = await run()
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stderr, "did:plc:first: replaced")
    assert.include(
      refused.stderr,
      "did:plc:second: the PLC directory refused the operation (too many operations)"
    )
    assert.include(refused.stderr, "did:plc:gone: its DID points to another server")
    const made = key()
    assert.match(made, /^[0-9a-f]{64}$/)
    assert.strictEqual(varsIn(".dev.vars")["PLC_ROTATION_KEY_PREVIOUS"], before)

    const waiting = await run("--json")
    assert.strictEqual(waiting.code, 0, waiting.stderr)
    assert.deepInclude(JSON.parse(waiting.stdout), {
      phase: "wait",
      replaced: 2,
      left: 1,
      accounts: [
        { did: "did:plc:first", outcome: "replaced" },
        { did: "did:plc:second", outcome: "replaced" }
      ]
    })
    assert.strictEqual(key(), made, "a second run makes no second key")

    const done = await run()
    assert.strictEqual(done.code, 0, done.stderr)
    assert.notProperty(varsIn(".dev.vars"), "PLC_ROTATION_KEY_PREVIOUS")
    assert.include(readFileSync(desk.path(".dev.vars"), "utf8"), `=${before}`)
    const output = [refused, waiting, done].map(({ stdout, stderr }) => stdout + stderr).join("")
    assert.notInclude(output, made)
    assert.notInclude(output, before)
  })
})

describe("nacre secret rotate for a server on Node", () => {
  it("the keys of nacre.env in the data folder are replaced, and an environment beside it is refused", async () => {
    const before = "42".repeat(32)
    mkdirSync(desk.path("data"))
    writeFileSync(desk.path("data/nacre.env"), `PUBLIC_URL=x\nPLC_ROTATION_KEY=${before}\n`)
    const vars = () => varsIn("data/nacre.env")
    const url = await startPlcServer(() => vars()["PLC_ROTATION_KEY"] ?? "", ["wait", "done"])
    const env = { NACRE_SERVER: url, NACRE_ADMIN_PASSWORD: "an administrator here" }
    const run = (...more: ReadonlyArray<string>) =>
      desk.run(
        ["secret", "rotate", "PLC_ROTATION_KEY", "--data", desk.path("data"), "--yes", ...more],
        env
      )
    const both = await run("--env", "production")
    assert.strictEqual(both.code, 1)
    assert.include(both.stderr, "either --env or --data")
    assert.deepStrictEqual(vars(), { PUBLIC_URL: "x", PLC_ROTATION_KEY: before })

    const waiting = await run()
    assert.strictEqual(waiting.code, 0, waiting.stderr)
    assert.include(waiting.stderr, `secret rotate PLC_ROTATION_KEY --data ${desk.path("data")}`)
    assert.strictEqual(vars()["PLC_ROTATION_KEY_PREVIOUS"], before)
    const done = await run()
    assert.strictEqual(done.code, 0, done.stderr)
    assert.notProperty(vars(), "PLC_ROTATION_KEY_PREVIOUS")
    assert.strictEqual(vars()["PUBLIC_URL"], "x")
  })
})

describe("nacre secret rotate MASTER_KEY", () => {
  it("the command puts a new key beside the old one, waits, and removes the old one at the end", async () => {
    const file = ".secrets.production"
    writeFileSync(desk.path(file), `MASTER_KEY=${old}\nADMIN_PASSWORD=an administrator here\n`)
    cloudflare.set({ secrets: { "": { MASTER_KEY: old } } })
    const server = await startServer(
      () => cloudflare.state().secrets[""]?.["MASTER_KEY"],
      ["on", "rewrap", "wait", "done"]
    )
    stops.push(server.stop)
    const env = {
      ...cloudflare.env,
      NACRE_SERVER: server.url,
      NACRE_ADMIN_PASSWORD: "an administrator here"
    }
    const run = () =>
      desk.run(["secret", "rotate", "MASTER_KEY", "--env", "production", "--yes"], env)

    const away = await run()
    assert.strictEqual(away.code, 1)
    assert.include(away.stderr, "did:plc:away")
    const { MASTER_KEY: made = "", MASTER_KEY_PREVIOUS: previous } = varsIn(file)
    assert.strictEqual(previous, old)
    assert.notStrictEqual(made, old)
    assert.strictEqual(Buffer.from(made, "base64url").length, 32)
    assert.deepStrictEqual(cloudflare.state().secrets[""], {
      MASTER_KEY: made,
      MASTER_KEY_PREVIOUS: old
    })
    const puts = cloudflare.calls().flatMap(({ args }) => (args[1] === "put" ? [args[2]] : []))
    assert.deepStrictEqual(puts, ["MASTER_KEY_PREVIOUS", "MASTER_KEY"], "the old key goes first")

    const waiting = await run()
    assert.strictEqual(waiting.code, 0, waiting.stderr)
    assert.include(waiting.stdout, "2027-01-15")
    assert.strictEqual(varsIn(file)["MASTER_KEY"], made, "a second run makes no second key")
    assert.strictEqual(varsIn(file)["MASTER_KEY_PREVIOUS"], old)

    const done = await run()
    assert.strictEqual(done.code, 0, done.stderr)
    assert.include(done.stdout, "removed")
    assert.deepStrictEqual(cloudflare.state().secrets[""], { MASTER_KEY: made })
    assert.notProperty(varsIn(file), "MASTER_KEY_PREVIOUS")
    assert.match(readFileSync(desk.path(file), "utf8"), new RegExp(`# MASTER_KEY until .*=${old}`))
    assert.strictEqual(statSync(desk.path(file)).mode & 0o777, 0o600)
    const output = [away, waiting, done].map(({ stdout, stderr }) => stdout + stderr).join("")
    assert.notInclude(output, made)
    assert.notInclude(output, old)
  })

  it("a server that doesn't have the new key yet keeps the old one, whatever it answers", async () => {
    writeFileSync(desk.path(".dev.vars"), `MASTER_KEY=${old}\n`)
    for (const key of [undefined, old]) {
      const server = await startServer(() => key, ["done"])
      stops.push(server.stop)
      const env = { NACRE_SERVER: server.url, NACRE_ADMIN_PASSWORD: "an administrator here" }
      const { code, stderr } = await desk.run(["secret", "rotate", "MASTER_KEY", "--yes"], env)
      assert.strictEqual(code, 1)
      assert.include(stderr, "doesn't have the new key yet")
      assert.strictEqual(varsIn(".dev.vars")["MASTER_KEY_PREVIOUS"], old)
    }
  })

  it("rotate changes nothing without a confirmation, or for a key in a Secrets Store", async () => {
    writeFileSync(desk.path(".dev.vars"), `MASTER_KEY=${old}\n`)
    const asked = await desk.run(["secret", "rotate", "MASTER_KEY"])
    assert.strictEqual(asked.code, 1)
    assert.deepStrictEqual(varsIn(".dev.vars"), { MASTER_KEY: old })
    const stored = [{ binding: "MASTER_KEY", store_id: "1", secret_name: "MASTER_KEY" }]
    writeFileSync(
      desk.path("wrangler.jsonc"),
      JSON.stringify({ name: "pds", secrets_store_secrets: stored })
    )
    const args = ["secret", "rotate", "MASTER_KEY", "--env", "production", "--yes"]
    const { code, stderr } = await desk.run(args, cloudflare.env)
    assert.strictEqual(code, 1)
    assert.include(stderr, "Secrets Store")
    assert.deepStrictEqual(cloudflare.calls(), [])
  })
})
