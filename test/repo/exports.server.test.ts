import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { startWorker, type TestServer, until } from "../support/server/server.ts"
import { type Person, signUp } from "../support/server/serverPeople.ts"

const collection = "com.example.large"
const records = 24

/** A connection that requested a repo and has read only the response's head. */
interface Unread {
  readonly socket: Socket
  readonly head: string
}

const askAndReadNothing = (server: TestServer, did: string): Promise<Unread> =>
  new Promise((resolve, reject) => {
    const { hostname, port, host } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.once("error", reject)
    socket.once("data", (data) => {
      socket.pause()
      resolve({ socket, head: String(data.subarray(0, 1000)).split("\r\n\r\n")[0]! })
    })
    socket.write(`GET /xrpc/com.atproto.sync.getRepo?did=${did} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  })

const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

describe("stalled exports on the Worker", () => {
  let server: TestServer
  let person: Person
  const open: Array<Unread> = []
  beforeAll(async () => {
    server = await startWorker()
    person = await signUp(server, "large")
    const { agent, did } = person
    for (let n = 0; n < records; n++) {
      const text = `${n} ${"x".repeat(900_000)}`
      const record = { $type: collection, text }
      await agent.com.atproto.repo.createRecord({ repo: did, collection, record })
    }
  })
  afterAll(async () => {
    for (const { socket } of open) socket.destroy()
    await server?.stop()
  })

  const getRepo = (headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${server.url}/xrpc/com.atproto.sync.getRepo?did=${person.did}`, { headers })

  it("stalled exports hold little memory, are limited, leave places for owners, and end with their connections", async () => {
    await (await getRepo()).arrayBuffer()
    const before = memoryOf(server.workerd!)
    for (let n = 0; n < 8; n++) open.push(await askAndReadNothing(server, person.did))
    for (const { head } of open) assert.match(head, /^HTTP\/1.1 200/)
    const refused = await getRepo()
    assert.strictEqual(refused.status, 503)
    assert.strictEqual(refused.headers.get("retry-after"), "10")
    assert.propertyVal(await refused.json(), "error", "ServiceUnavailable")
    // Each holds a record, a chunk and the platform's buffers.
    assert.isBelow(memoryOf(server.workerd!) - before, 120)
    const authorization = `Bearer ${person.agent.session?.accessJwt}`
    const own = await getRepo({ authorization })
    assert.strictEqual(own.status, 200)
    assert.isAbove((await own.arrayBuffer()).byteLength, records * 900_000)
    for (const { socket } of open.splice(0)) socket.destroy()
    await until("the connections' places are free", async () => {
      const answer = await getRepo()
      await answer.arrayBuffer()
      return answer.status === 200
    })
    for (let n = 0; n < 8; n++) {
      open.push(await askAndReadNothing(server, person.did))
      assert.match(open.at(-1)!.head, /^HTTP\/1.1 200/)
    }
  })
})
