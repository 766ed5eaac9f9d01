import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { connect, type Socket } from "node:net"
import { seats } from "../../src/layers/stream/seats.ts"
import { memoryOf } from "../support/memory.ts"
import { startWorker, type TestServer, until } from "../support/server/server.ts"
import { type Person, signIn } from "../support/server/serverPeople.ts"
import { openStream } from "../support/server/serverRelay.ts"

const [collection, path] = ["com.example.note", "/xrpc/com.atproto.sync.subscribeRepos"]

/** Opens the stream on a raw connection and reads only the response's status. */
const openUnread = (url: string, query: string): Promise<[status: number, socket: Socket]> => {
  const { hostname, port, host } = new URL(url)
  const headers = {
    host,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA=="
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.once("error", reject)
    socket.once("data", (data) => {
      socket.pause()
      socket.on("error", () => {})
      resolve([Number(String(data).slice(9, 12)), socket])
    })
    socket.write(`GET ${path}${query} HTTP/1.1\r\n${lines.join("")}\r\n`)
  })
}

describe("unread event streams on the Worker", () => {
  let server: TestServer
  let owner: Person
  const megabytes = 60
  const sockets: Array<Socket> = []

  beforeAll(async () => {
    server = await startWorker({ RATE_LIMITS: "sensitive" })
    owner = await signIn(server)
    for (let at = 0; at < megabytes; at++) await put(`${at} ${"y".repeat(980_000)}`)
  })
  afterAll(async () => {
    for (const socket of sockets) socket.destroy()
    await server?.stop()
  })

  const put = (text: string) =>
    owner.agent.com.atproto.repo.putRecord({
      repo: owner.did,
      collection,
      rkey: "one",
      validate: false,
      record: { $type: collection, text }
    })
  const memory = () => (server.workerd === undefined ? 0 : memoryOf(server.workerd))

  it("unread streams hold little memory, and another reader gets new events", async () => {
    const live = await openStream(server.url, "")
    const before = memory()
    for (let at = 1; at < seats.network; at++) {
      const [status, socket] = await openUnread(server.url, "?cursor=0")
      assert.strictEqual(status, 101)
      sockets.push(socket)
    }
    let peak = 0
    for (let at = 0; at < 20; at++) {
      await put(`new ${at}`)
      await until("the event", () => live.frames.length > at)
      peak = Math.max(peak, memory())
    }
    // Each requested 60 MB.
    assert.isBelow(peak - before, 160, "MiB")
    assert.isUndefined(live.code())
    live.close()
  })

  it("one network gets few streams, then a 429", async () => {
    while (sockets.length < seats.network) {
      const [status, socket] = await openUnread(server.url, "")
      assert.strictEqual(status, 101)
      sockets.push(socket)
    }
    const [status, socket] = await openUnread(server.url, "")
    socket.destroy()
    assert.strictEqual(status, 429)
  })

  it("an ended replay frees room, and its reader gets the rest from its cursor", async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    const seqs: Array<number> = []
    const codes: Array<number> = []
    const reads = async () => {
      let stream = await openStream(server.url, "?cursor=0")
      const taken = () => seqs.length + stream.frames.length >= megabytes + 20
      await until("the replay", async () => {
        const code = stream.code()
        if (code === undefined) return taken()
        codes.push(code)
        seqs.push(...stream.frames.map(({ body }) => body.seq))
        stream = await openStream(server.url, `?cursor=${seqs.at(-1)}`)
        return taken()
      })
      seqs.push(...stream.frames.map(({ body }) => body.seq))
      stream.close()
    }
    await reads()
    assert.deepStrictEqual([...new Set(codes)], [1012])
    assert.isTrue(seqs.every((seq, at) => at === 0 || seq > seqs[at - 1]!))
  })
})
