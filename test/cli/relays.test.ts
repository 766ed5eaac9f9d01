import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import WebSocket from "ws"
import { type TestServer, until } from "../support/server/server.ts"
import { startMemory } from "../support/server/serverMemory.ts"
import { post, signIn } from "../support/server/serverPeople.ts"
import { type Desk, makeDesk } from "./command.ts"
import type { Subscribers } from "../../src/services/stream/Sequencer.ts"

/** A local relay, which connects when called, reads, and reports its position. */
const startRelay = async () => {
  const asked: Array<string> = []
  const reads: Array<string> = []
  const seqs: Array<number> = []
  const revs = new Map<string, string>()
  let socket: WebSocket | undefined
  let status = "active"
  let tells = true
  const read = (hostname: string) => {
    reads.push(hostname)
    socket = new WebSocket(`ws://${hostname}/xrpc/com.atproto.sync.subscribeRepos`, {
      headers: { "user-agent": "test-relay/1 (atproto-relay)" }
    })
    socket.on("error", () => {})
    socket.on("message", () => {})
  }
  const answers: Record<string, (query: URLSearchParams, body: string) => object | undefined> = {
    "com.atproto.sync.requestCrawl": (_, body) => {
      const { hostname } = JSON.parse(body) as { hostname: string }
      asked.push(hostname)
      return {}
    },
    "com.atproto.sync.getHostStatus": (query) =>
      tells && reads.includes(query.get("hostname") ?? "")
        ? { hostname: query.get("hostname"), seq: seqs.at(-1) ?? 0, status }
        : undefined,
    "com.atproto.sync.getRepoStatus": (query) => {
      const did = query.get("did") ?? ""
      return revs.has(did) ? { did, active: true, rev: revs.get(did) } : undefined
    }
  }
  const server: Server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk) => (body += chunk))
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://relay")
      const answer = answers[url.pathname.replace("/xrpc/", "")]?.(url.searchParams, body)
      response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" })
      response.end(JSON.stringify(answer ?? { error: "HostNotFound", message: "host not found" }))
    })
  })
  await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens))
  // SAFETY: it listens on a port.
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    origin: `http://${host}`,
    asked,
    read,
    leave: () => socket?.terminate(),
    /** Sets its claimed position, and its status for the server. */
    says: (about: { seq: number; did: string; rev: string }, standing = "active") => {
      seqs.push(about.seq)
      revs.set(about.did, about.rev)
      status = standing
    },
    keepsSilent: () => (tells = false),
    close: () => {
      socket?.terminate()
      server.close()
    }
  }
}

let relay: Awaited<ReturnType<typeof startRelay>>
let server: TestServer
let desk: Desk
let away: Desk

beforeAll(async () => {
  relay = await startRelay()
  server = await startMemory({ RELAYS: relay.origin, DEV_ALLOW_HOSTS: relay.host })
  desk = makeDesk(server)
  away = makeDesk()
})
afterAll(async () => {
  desk?.remove()
  away?.remove()
  relay?.close()
  await server?.stop()
})

const audience = async (query = "") => {
  const { adminPassword } = server.account
  const basic = Buffer.from(`admin:${adminPassword}`).toString("base64")
  const answer = await fetch(`${server.url}/admin/relays${query}`, {
    headers: { authorization: `Basic ${basic}` }
  })
  // SAFETY: the route's response, or its error.
  return (await answer.json()) as Subscribers & { readonly error?: string }
}

describe("what a relay has read", () => {
  it("nacre status fails for a relay that never connected", async () => {
    await until("the relay is asked", () => relay.asked.length > 0)
    assert.strictEqual(relay.asked[0], new URL(server.publicUrl).host)
    const { code, stdout, json } = await desk.run(["status", "--json"])
    assert.strictEqual(code, 1)
    const [shown] = json["relays"]
    assert.deepInclude(shown, { name: relay.origin, ok: false })
    assert.notInclude(stdout, server.account.adminPassword)
    const words = await desk.run(["status"])
    assert.match(words.stdout, /RELAY +CALLED +READING SINCE +READ UP TO +LAST SEEN/)
    assert.match(
      words.stdout,
      new RegExp(`${relay.origin} +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC`)
    )
    assert.match(words.stdout, /FAIL http:\/\/127\.0\.0\.1/)
  })

  it("nacre status shows when a relay was called, since when it reads, and how far", async () => {
    const { did, agent } = await signIn(server)
    relay.read(new URL(server.publicUrl).host)
    await until("it reads", async () => (await audience()).readers.length === 1)
    await agent.post(post("for the relay"))
    const { seq } = await audience()
    const { rev } = (await agent.com.atproto.sync.getLatestCommit({ did })).data
    relay.says({ seq, did, rev })
    const { code, json, stderr } = await desk.run(["status", "--json"])
    assert.strictEqual(code, 0, stderr)
    const [shown] = json["relays"]
    assert.deepInclude(shown, { ok: true, seq, behind: 0, connected: true, answered: 200 })
    assert.isBelow(Math.abs(shown.readingSince - Date.now()), 60_000)
    assert.deepStrictEqual(json["others"], [])
    const { stdout } = await desk.run(["status"])
    assert.match(stdout, new RegExp(`UTC +${seq} \\(up to date\\) +now`))

    await agent.post(post("that it has not read yet"))
    const later = await desk.run(["status"])
    assert.strictEqual(later.code, 0)
    const head = (await audience()).seq
    assert.include(later.stdout, `${seq} (head ${head}, 1 behind)`)
    relay.says({ seq: head, did, rev }, "banned")
    const banned = await desk.run(["status"])
    assert.strictEqual(banned.code, 1)
    assert.match(banned.stdout, /FAIL .*banned.*\n +It has blocked this server/)
  })

  it("nacre status shows what a disconnected relay was sent, if the relay says nothing itself", async () => {
    const { seq } = await audience()
    relay.keepsSilent()
    relay.leave()
    await until("it has gone", async () => (await audience()).readers[0]?.connected === false)
    const { json } = await desk.run(["status", "--json"])
    assert.deepInclude(json["relays"][0], { ok: false, connected: false, seq })
  })

  it("only the administrator sees what relays have read, and only with valid numbers", async () => {
    for (const authorization of [undefined, "Basic YWRtaW46d3Jvbmc=", "Bearer x"]) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
      const answer = await fetch(`${server.url}/admin/relays`, { headers })
      assert.strictEqual(answer.status, 401)
      assert.notInclude(await answer.text(), "atproto-relay")
    }
    for (const seq of ["x", "-1", "1e3", "", "99999999999999999999"]) {
      assert.strictEqual((await audience(`?seq=${seq}`)).error, "InvalidRequest", seq)
    }
    const { places } = await audience("?seq=0&seq=8999999999999999")
    assert.isAbove(places[0]!.behind, 0)
    assert.deepStrictEqual(places[1], { behind: 0 })
    const words = await away.run(["status"], { NACRE_SERVER: server.publicUrl, RELAYS: "none" })
    assert.notInclude(words.stdout, "test-relay")
  })
})
