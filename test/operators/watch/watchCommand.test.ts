import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { type Desk, makeDesk } from "../../cli/command.ts"

const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
const cid = `bafyrei${"a".repeat(52)}`

/** A server with one alert, about the operation `cid`. */
const calls: Array<
  readonly [path: string | undefined, authorization: string | undefined, unknown]
> = []
const server: Server = createServer((request, response) => {
  void text(request).then((body) => {
    const input: unknown = JSON.parse(body)
    calls.push([request.url, request.headers.authorization, input])
    const isKnown = (input as { readonly cid: string }).cid === cid
    response.writeHead(isKnown ? 200 : 400, { "content-type": "application/json" })
    const message = "There is no alert about this operation"
    const answer = isKnown
      ? { did, handle: "alice.test", cid }
      : { error: "InvalidRequest", message }
    response.end(JSON.stringify(answer))
  })
})

let desk: Desk
let env: Readonly<Record<string, string>>
beforeAll(async () => {
  await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens))
  // SAFETY: it listens on a port.
  const { port } = server.address() as AddressInfo
  env = { NACRE_SERVER: `http://127.0.0.1:${port}`, NACRE_ADMIN_PASSWORD: "the admin's" }
  desk = makeDesk()
})
afterAll(() => {
  desk?.remove()
  server.close()
})

describe("nacre watch accept", () => {
  it("the command accepts one operation of one account as the administrator", async () => {
    const { code, stdout, stderr } = await desk.run(["watch", "accept", did, cid], env)
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(
      stdout,
      "The alert about alice.test has ended. A later operation begins another one.\n"
    )
    const basic = Buffer.from("admin:the admin's").toString("base64")
    assert.deepStrictEqual(calls, [
      ["/admin/alerts/accept", `Basic ${basic}`, { account: did, cid }]
    ])
  })

  it("the command fails with the server's reason for any other operation", async () => {
    const other = `bafyrei${"b".repeat(52)}`
    const { code, stderr } = await desk.run(["watch", "accept", did, other], env)
    assert.strictEqual(code, 1)
    assert.include(stderr, "There is no alert about this operation")
  })

  it("the command's help says which operation it takes", async () => {
    const { stdout } = await desk.run(["watch", "accept", "--help"])
    assert.include(stdout, "The operation's CID, from the alert's detail")
    assert.include(stdout, "Ask the owner first")
  })
})
