import { assert, describe, it } from "@effect/vitest"
import type { AddressInfo } from "node:net"
import { WebSocketServer } from "ws"
import { replay } from "../../bench/subscribers.ts"
import { encode } from "../../src/core/repo/cbor.ts"

const frameOf = (seq: number): Buffer =>
  Buffer.concat([encode({ op: 1, t: "#identity" }), encode({ seq, did: "did:web:a.test" })])

/** A stream of events up to `newest`, which sends `most` of them to a connection and closes it. */
const open = async ({ newest, most, code }: { newest: number; most: number; code: number }) => {
  const cursors: Array<number> = []
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  server.on("connection", (socket, request) => {
    const cursor = Number(new URL(request.url ?? "/", "http://host").searchParams.get("cursor"))
    cursors.push(cursor)
    const last = Math.min(newest, cursor + most)
    for (let seq = cursor + 1; seq <= last; seq++) socket.send(frameOf(seq))
    if (last < newest || most === 0) socket.close(code)
  })
  await new Promise((listens) => server.once("listening", listens))
  // SAFETY: it listens on a port.
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, cursors, stop: () => server.close() }
}

describe("the bench's replay", () => {
  it("the client continues from its cursor when the server asks it to come back", async () => {
    const { url, cursors, stop } = await open({ newest: 25, most: 10, code: 1012 })
    const last = frameOf(25)
    const found = await replay(url, 0, (frame) => frame.equals(last))
    stop()
    assert.deepInclude(found, { frames: 25, connections: 3, complete: true })
    assert.deepStrictEqual(cursors, [0, 10, 20])
  })

  it("the client stops at any other close, and where coming back brings nothing", async () => {
    for (const [most, code] of [
      [10, 1008],
      [0, 1012]
    ] as const) {
      const { url, cursors, stop } = await open({ newest: 25, most, code })
      const found = await replay(url, 0, () => false)
      stop()
      assert.deepInclude(found, { frames: most, connections: 1, complete: false })
      assert.deepStrictEqual(cursors, [0])
    }
  })
})
