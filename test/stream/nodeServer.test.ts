import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { connect, type Socket } from "node:net"
import { serve, type ServerOptions } from "../../src/layers/host/NodeServer.ts"
import * as RelaysOutgoing from "../../src/layers/stream/RelaysOutgoing.ts"
import * as SequencerMemory from "../../src/layers/stream/SequencerMemory.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { events } from "./sequencer.contract.ts"

type Handler = (request: Request) => Promise<Response>

const served = (
  handler: Handler,
  body: (world: {
    readonly port: number
    readonly sequencer: SequencerMemory.MemorySequencer["service"]
    readonly sql: SqlStorage["Service"]
  }) => Promise<void>,
  options: Partial<ServerOptions> = {}
) =>
  Effect.gen(function* () {
    const sequencer = yield* SequencerMemory.make
    const { port } = yield* serve({ port: 0, sequencer, handler, ...options })
    const sql = yield* SqlStorage
    yield* Effect.promise(() => body({ port, sequencer: sequencer.service, sql }))
  }).pipe(
    Effect.scoped,
    Effect.provide(Layer.merge(SqlStorageNode.layer(":memory:"), RelaysOutgoing.layerNone)),
    Effect.runPromise
  )

const nothing: Handler = async () => new Response(null, { status: 404 })

const signal = () => {
  let resolve = () => {}
  return { promise: new Promise<void>((done) => (resolve = done)), resolve: () => resolve() }
}

/** A raw connection that has sent a request, with access to the end of the response. */
const dial = (
  port: number,
  target: string,
  headers: Readonly<Record<string, string>>,
  method = "GET"
) => {
  const socket: Socket = connect({ port, host: "127.0.0.1" })
  const lines = Object.entries({ host: "localhost", ...headers }).map(
    ([key, value]) => `${key}: ${value}`
  )
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`)
  let bytes = 0
  let text = ""
  let look = () => {}
  socket.on("data", (data) => {
    bytes += data.length
    text = (text + data.subarray(-2000).toString("latin1")).slice(-20_000)
    look()
  })
  socket.on("error", () => {})
  const until = (found: (text: string) => boolean) =>
    new Promise<string>((resolve) => {
      look = () => {
        if (found(text)) resolve(text)
      }
      look()
    })
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()))
  return { socket, until, closed, bytes: () => bytes }
}

const upgrade = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="
}
const firehose = "/xrpc/com.atproto.sync.subscribeRepos"

describe("the Node server", () => {
  it("the Node server reports the connection's address, whatever the client claims", () =>
    served(
      async ({ headers }) => new Response(headers.get("cf-connecting-ip")),
      async ({ port }) => {
        for (const headers of [{}, { "cf-connecting-ip": "192.0.2.1" }]) {
          const answer = await fetch(`http://127.0.0.1:${port}/`, { headers })
          assert.strictEqual(await answer.text(), "127.0.0.1")
        }
      }
    ))

  it("the Node server streams bodies both ways and keeps headers, cookies and statuses", () =>
    served(
      async (request) => {
        const headers = new Headers({
          "x-method": request.method,
          "x-path": new URL(request.url).pathname
        })
        headers.append("set-cookie", "a=1")
        headers.append("set-cookie", "b=2")
        return new Response(request.body, { status: 201, headers })
      },
      async ({ port }) => {
        const sent = new Uint8Array(3_000_000).map((_, at) => at % 251)
        const response = await fetch(`http://127.0.0.1:${port}/some/path?x=1`, {
          method: "POST",
          body: sent
        })
        assert.strictEqual(response.status, 201)
        assert.strictEqual(response.headers.get("x-method"), "POST")
        assert.strictEqual(response.headers.get("x-path"), "/some/path")
        assert.deepStrictEqual(response.headers.getSetCookie(), ["a=1", "b=2"])
        assert.deepStrictEqual(new Uint8Array(await response.arrayBuffer()), sent)
      }
    ))

  it("the Node server sends a body as it arrives, and tells the handler when the client disconnects", async () => {
    let aborted: () => void
    const gone = new Promise<void>((resolve) => (aborted = resolve))
    await served(
      async (request) => {
        request.signal.addEventListener("abort", () => aborted())
        const body = new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("first"))
        })
        return new Response(body)
      },
      async ({ port }) => {
        const client = dial(port, "/", {})
        await client.until((text) => text.includes("first"))
        client.socket.destroy()
        await gone
      }
    )
  })

  it("the Node server returns 400 for an invalid host or target, also in an upgrade", () =>
    served(nothing, async ({ port }) => {
      const asked = [
        ...["a b.test", "xn--97i80t20-kva.test"].map((host) => ["/", host] as const),
        ["http://[", "localhost"] as const
      ]
      for (const [target, host] of asked) {
        for (const headers of [{ connection: "close" }, upgrade]) {
          const { until, socket } = dial(port, target, { host, ...headers })
          assert.match(await until((text) => text.includes("\r\n\r\n")), /^HTTP\/1\.1 400 /)
          socket.destroy()
        }
      }
    }))

  it("the Node server doesn't mistake a path for another host's name", () =>
    served(
      async (request) => new Response(request.url),
      async ({ port }) => {
        const { until, socket } = dial(port, "//other.example.com/x", { connection: "close" })
        const text = await until((found) => found.includes("example.com/x"))
        assert.include(text, "http://localhost//other.example.com/x")
        socket.destroy()
      }
    ))

  it("the Node server returns 500 when the handler fails, and continues", async () => {
    let calls = 0
    await served(
      async () => {
        calls += 1
        if (calls === 1) throw new Error("broken")
        return new Response("fine")
      },
      async ({ port }) => {
        assert.strictEqual((await fetch(`http://127.0.0.1:${port}/`)).status, 500)
        assert.strictEqual(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "fine")
      }
    )
  })

  it("the Node server keeps an idle connection for longer than a proxy does", () =>
    served(nothing, async ({ port }) => {
      const { headers } = await fetch(`http://127.0.0.1:${port}/`)
      const [, seconds] = /timeout=(\d+)/.exec(headers.get("keep-alive") ?? "") ?? []
      assert.isAbove(Number(seconds), 120)
    }))

  it("the Node server closes a connection whose body pauses, and waits for a slow response", () => {
    let failures = 0
    const slow = signal()
    const handler: Handler = async (request) => {
      if (request.method === "GET" || (await request.text()) === "whole") {
        await slow.promise
        return new Response("late")
      }
      return new Response("never sent")
    }
    return served(
      (request) =>
        handler(request).catch((cause) => {
          failures += 1
          throw cause
        }),
      async ({ port }) => {
        const url = `http://127.0.0.1:${port}/`
        const late = [fetch(url), fetch(url, { method: "POST", body: "whole" })]
        // Two pauses after each other, so both responses take longer than one.
        for (let nth = 0; nth < 2; nth++) {
          const paused = connect({ port, host: "127.0.0.1" })
          const closed = new Promise((resolve) => paused.once("close", resolve))
          paused.on("error", () => {})
          paused.write("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf")
          paused.resume()
          await closed
        }
        slow.resolve()
        for (const response of late) assert.strictEqual(await (await response).text(), "late")
        assert.strictEqual(failures, 2)
      },
      { longestPause: 100 }
    )
  })

  it("the Node server ends an idle connection after its response when it stops", async () => {
    const asked = signal()
    const answered = signal()
    let dialed: ReturnType<typeof dial> | undefined
    const handler: Handler = async () => {
      asked.resolve()
      await answered.promise
      return new Response("the last one")
    }
    const stopped = served(
      handler,
      async ({ port }) => {
        dialed = dial(port, "/", { connection: "keep-alive" })
        await asked.promise
        setTimeout(answered.resolve, 20)
      },
      { grace: 600_000 }
    )
    await stopped
    await dialed?.until((text) => text.includes("the last one"))
  })

  it("the Node server closes a subscriber that sends a large message", () =>
    served(nothing, async ({ port }) => {
      const { socket, until, closed } = dial(port, firehose, upgrade)
      await until((text) => text.includes("101 Switching Protocols"))
      // A masked binary message of 1 MiB: its header is enough.
      socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]))
      await closed
    }))

  it("the Node server upgrades the event stream without a sub-protocol, whatever is offered", () =>
    served(nothing, async ({ port }) => {
      const client = dial(port, firehose, { ...upgrade, "sec-websocket-protocol": "xrpc.v1.json" })
      const head = await client.until((text) => text.includes("\r\n\r\n"))
      assert.match(head, /^HTTP\/1.1 101 /)
      assert.notMatch(head.toLowerCase(), /sec-websocket-(protocol|extensions)/)
    }))

  it("the Node server returns 426 for other versions of WebSocket and names version 13", () =>
    served(nothing, async ({ port }) => {
      for (const version of ["8", "7", "99", "13, 8"]) {
        const client = dial(port, firehose, { ...upgrade, "sec-websocket-version": version })
        const head = (await client.until((text) => text.includes("}"))).toLowerCase()
        assert.match(head, /^http\/1.1 426 /)
        assert.match(head, /\r\nsec-websocket-version: 13\r\n/)
      }
    }))

  it("the Node server rejects an upgrade with an invalid cursor or path", () =>
    served(nothing, async ({ port }) => {
      const bad = dial(port, `${firehose}?cursor=abc`, upgrade)
      assert.match(await bad.until((text) => text.includes("cursor must")), /^HTTP\/1.1 400 /)
      await bad.closed
      const other = dial(port, "/xrpc/app.other", upgrade)
      assert.match(await other.until((text) => text.includes("\r\n\r\n")), /^HTTP\/1.1 400 /)
    }))

  it("the Node server rejects an upgrade that no Request can hold, and stays up", () =>
    served(nothing, async ({ port }) => {
      const withUser = `http://user:password@localhost${firehose}`
      for (const [method, target, host] of [
        ["TRACE", firehose, "localhost"],
        ["GET", withUser, "localhost"],
        ["GET", firehose, "user:password@localhost"]
      ] as const) {
        const { until, closed } = dial(port, target, { ...upgrade, host }, method)
        assert.match(await until((text) => text.includes("\r\n\r\n")), /^HTTP\/1.1 40\d /)
        await closed
      }
      const next = dial(port, firehose, upgrade)
      assert.match(await next.until((text) => text.includes("\r\n\r\n")), /^HTTP\/1.1 101 /)
      next.socket.destroy()
    }))

  it("the Node server stays up while its disk takes nothing, and readers come and go", () =>
    served(nothing, async ({ port, sequencer, sql }) => {
      const connected = async (count: number) => {
        const { subscribers } = await Effect.runPromise(sequencer.status)
        if (subscribers === count) return
        await new Promise(setImmediate)
        await connected(count)
      }
      const first = dial(port, firehose, upgrade)
      await first.until((text) => text.includes("\r\n\r\n"))
      sql.exec("PRAGMA query_only = ON").toArray()
      first.socket.destroy()
      await connected(0)
      const second = dial(port, firehose, upgrade)
      assert.match(await second.until((text) => text.includes("\r\n\r\n")), /^HTTP\/1.1 101 /)
      await connected(1)
      sql.exec("PRAGMA query_only = OFF").toArray()
      const a = events("did:example:a")
      await Effect.runPromise(sequencer.append("did:example:a", [a.head("3a", 500)]))
      await second.until((text) => text.includes("did:example:a"))
      second.socket.destroy()
      await connected(0)
    }))

  it("the Node server closes a consumer that stops reading, and the others get everything", () =>
    served(nothing, async ({ port, sequencer }) => {
      const [slow, quick] = [dial(port, firehose, upgrade), dial(port, firehose, upgrade)]
      await Promise.all(
        [slow, quick].map(({ until }) => until((text) => text.includes("\r\n\r\n")))
      )
      slow.socket.pause()
      const a = events("did:example:a")
      const size = 500_000
      const subscribers = async () => (await Effect.runPromise(sequencer.status)).subscribers
      let sent = 0
      // Far more than the system's own buffers hold.
      for (; sent < 300 && (await slowIsOpen(sequencer)); sent++) {
        await Effect.runPromise(sequencer.append("did:example:a", [a.head("3a", size)]))
        while (quick.bytes() < (sent + 1) * size) await new Promise(setImmediate)
      }
      assert.isBelow(sent, 300)
      slow.socket.resume()
      await slow.until((text) => text.includes("ConsumerTooSlow"))
      slow.socket.destroy()
      await slow.closed
      while ((await subscribers()) > 1) await new Promise(setImmediate)
      await Effect.runPromise(sequencer.append("did:example:a", [a.head("3a", size)]))
      while (quick.bytes() < (sent + 1) * size) await new Promise(setImmediate)
    }))
})

/** Closed connections don't count as readers. */
const slowIsOpen = async (sequencer: SequencerMemory.MemorySequencer["service"]) =>
  (await Effect.runPromise(sequencer.status)).subscribers === 2
