import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { type Desk, makeDesk } from "../cli/command.ts"

const did = "did:plc:broken2222222222222222222"
const sound = "did:plc:sound22222222222222222222"

/** The problems of the account that is damaged, until it is repaired. */
let problems: ReadonlyArray<string>
let asked: Array<string>

const examined = () => ({
  rev: "3kaaaaaaaaa22",
  records: 12,
  nodes: 3,
  found: problems.length,
  problems,
  dropped: [],
  droppedCount: 0,
  damaged: [],
  damagedCount: 0
})

/** A server with a sound and a damaged account; a check comes to the blobs in a second part. */
const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost")
  asked.push(`${request.method} ${url.pathname}${url.search}`)
  const account = url.searchParams.get("account")
  const answer = (): object => {
    if (url.pathname === "/xrpc/com.atproto.sync.listRepos") {
      return { repos: [{ did }, { did: sound }] }
    }
    if (url.pathname === "/admin/check") {
      const isFirst = url.searchParams.get("after") === null
      return {
        did: account,
        records: isFirst ? 12 : 0,
        nodes: isFirst ? 3 : 0,
        blobs: 5,
        missing: 0,
        problems: isFirst && account === did ? problems : [],
        ...(isFirst ? { after: "1:x" } : {})
      }
    }
    const before = examined()
    if (request.method === "GET") return { did: account, examined: before }
    problems = []
    return { did: account, examined: before, rev: "3kbbbbbbbbb22" }
  }
  response.setHeader("content-type", "application/json")
  response.end(JSON.stringify(answer()))
})

let desk: Desk
let env: Record<string, string>
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  desk = makeDesk()
  env = {
    NACRE_SERVER: `http://127.0.0.1:${port}`,
    NACRE_ADMIN_PASSWORD: "an administrator here"
  }
})
afterAll(async () => {
  desk.remove()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})
beforeEach(() => {
  problems = ["the tree node bafy can't be read: block bafy is missing"]
  asked = []
})

describe("nacre check", () => {
  it("the command checks every account to its last blob, names what is wrong and fails", async () => {
    const { code, json, stderr } = await desk.run(["check", "--all", "--json"], env)
    assert.strictEqual(code, 1)
    assert.deepStrictEqual(json.accounts, [
      { did, records: 12, nodes: 3, blobs: 10, missing: 0, problems: [...problems] },
      { did: sound, records: 12, nodes: 3, blobs: 10, missing: 0, problems: [] }
    ])
    assert.include(stderr, "block bafy is missing")
    assert.include(stderr, "repair <account> --dry-run")
    const one = await desk.run(["check", sound], env)
    assert.strictEqual(one.code, 0, one.stderr)
  })
})

describe("nacre repair", () => {
  it("a dry run and a no change nothing, and a yes repairs", async () => {
    const dry = await desk.run(["repair", did, "--dry-run", "--json"], env)
    assert.strictEqual(dry.code, 0, dry.stderr)
    assert.deepInclude(dry.json, { did, examined: examined() })
    assert.notProperty(dry.json, "rev")
    const unconfirmed = await desk.run(["repair", did], env)
    assert.strictEqual(unconfirmed.code, 1)
    assert.include(unconfirmed.stderr, "block bafy is missing")
    assert.isEmpty(asked.filter((line) => line.startsWith("POST")))

    const done = await desk.run(["repair", did, "--yes", "--drop-damaged"], env)
    assert.strictEqual(done.code, 0, done.stderr)
    assert.include(done.stdout, "3kbbbbbbbbb22")
    const posts = asked.filter((line) => line.startsWith("POST"))
    assert.deepStrictEqual(posts, [
      `POST /admin/repair?account=${encodeURIComponent(did)}&drop=true`
    ])
    const again = await desk.run(["repair", did, "--yes"], env)
    assert.include(again.stdout, "nothing to do")
    assert.lengthOf(
      asked.filter((line) => line.startsWith("POST")),
      1
    )
  })
})
