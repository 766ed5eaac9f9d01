import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { guardedFetch } from "../../../src/layers/host/guardedFetch.ts"

const server = createServer((_, response) => response.end("inside"))
let port = 0

beforeAll(
  () =>
    new Promise<void>((ready) => {
      server.listen(0, "127.0.0.1", () => {
        // SAFETY: it listens on a port.
        port = (server.address() as AddressInfo).port
        ready()
      })
    })
)
afterAll(() => void server.close())

/** The messages of a failure and of what caused it. */
const messagesOf = (failure: unknown): string =>
  failure instanceof Error ? `${failure.message} ${messagesOf(failure.cause)}` : ""

describe("outgoing requests of a server on one machine", () => {
  it("a name with a private address gets no connection", async () => {
    const failure = await guardedFetch([])(`http://localhost:${port}/`, {}).then(
      () => undefined,
      (cause: unknown) => cause
    )
    assert.include(messagesOf(failure), "has an address in a private network")
  })

  it("a host that the configuration allows is reached", async () => {
    const response = await guardedFetch([`localhost:${port}`])(`http://localhost:${port}/`, {})
    assert.strictEqual(await response.text(), "inside")
  })
})
