import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Answered, type Asked, type Host, startHost } from "../../support/http/httpHost.ts"
import { type App, publicApp } from "../../support/http/oauthApp.ts"

let host: Host
let app: App

beforeAll(async () => {
  host = await startHost()
  app = await publicApp(host)
})
afterAll(() => host.close())

const endpoints = ["/oauth/par", "/oauth/token", "/oauth/revoke"]

const form = "application/x-www-form-urlencoded"

const send = (path: string, body: string, type: string, headers = {}): Promise<Answered> =>
  host.ask(path, { body, headers: { "content-type": type, ...headers } })

/** The name of an error, with its status. */
const named = ({ status, body }: Answered) => `${status} ${body["error"]}`

describe("the endpoints for OAuth clients", () => {
  it("the endpoints accept only POST", async () => {
    for (const path of endpoints) {
      for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
        const { status, headers } = await host.ask(path, { method })
        assert.deepStrictEqual([status, headers.get("allow")], [405, "POST"], `${method} ${path}`)
      }
    }
  })

  it("every response has a nonce, is readable from all origins and can't be cached", async () => {
    const asks: ReadonlyArray<Asked> = [
      { method: "GET" },
      { method: "POST" },
      { body: "token=x&client_id=y", headers: { "content-type": form } },
      { body: "x".repeat(200_000), headers: { "content-type": form } }
    ]
    for (const path of endpoints) {
      for (const asked of asks) {
        const { headers } = await host.ask(path, asked)
        assert.match(headers.get("dpop-nonce") ?? "", /^[\w-]{10,}$/)
        assert.strictEqual(headers.get("cache-control"), "no-store")
        assert.strictEqual(headers.get("access-control-allow-origin"), "*")
        assert.include(headers.get("access-control-expose-headers"), "DPoP-Nonce")
      }
    }
  })

  it("a preflight request allows posting with a proof", async () => {
    for (const path of endpoints) {
      const { status, headers } = await host.ask(path, {
        method: "OPTIONS",
        headers: {
          origin: "https://app.example.com",
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type,dpop"
        }
      })
      assert.strictEqual(status, 204)
      assert.strictEqual(headers.get("access-control-allow-origin"), "*")
      assert.include(headers.get("access-control-allow-methods"), "POST")
      assert.include(headers.get("access-control-allow-headers")?.toLowerCase(), "dpop")
    }
  })

  it("a body of more than 100 KiB is rejected, with or without a declared length", async () => {
    const long = `state=${"x".repeat(100 * 1024)}`
    for (const path of endpoints) {
      assert.strictEqual(named(await send(path, long, form)), "413 invalid_request")
      const stream = new Blob([long]).stream()
      const streamed = await host.ask(path, { body: stream, headers: { "content-type": form } })
      assert.strictEqual(named(streamed), "413 invalid_request")
    }
  })

  it("the endpoints reject bodies other than forms and JSON, and repeated parameters", async () => {
    const bodies: ReadonlyArray<readonly [string, string]> = [
      ["client_id=a", "text/plain"],
      ["client_id=a", "multipart/form-data; boundary=x"],
      ["client_id=a&scope=atproto&client_id=b", form],
      ["client_id=a&state=&state=b", form],
      ["client_id", "application/json"],
      ["[]", "application/json"],
      ["null", "application/json"]
    ]
    for (const path of endpoints) {
      for (const [body, type] of bodies) {
        assert.strictEqual(named(await send(path, body, type)), "400 invalid_request", body)
      }
    }
    const bytes = new Uint8Array([0x61, 0x3d, 0xff])
    const broken = await host.ask("/oauth/par", { body: bytes, headers: { "content-type": form } })
    assert.strictEqual(named(broken), "400 invalid_request")
  })

  it("the endpoints accept JSON as well as forms", async () => {
    await app.push()
    const verifier = "v".repeat(43)
    const fields = { client_id: app.clientId, ...app.request(verifier) }
    const dpop = await app.proof("/oauth/par")
    const answer = await send("/oauth/par", JSON.stringify(fields), "application/json", { dpop })
    assert.strictEqual(answer.status, 201)
  })

  it("the response doesn't reveal why a body broke off", async () => {
    const broken = await host.handler(
      new Request("http://localhost:8787/oauth/par", {
        method: "POST",
        headers: { "content-type": form },
        body: new ReadableStream({
          pull: (controller) => controller.error(new Error("a secret of the inside"))
        }),
        duplex: "half"
      } as RequestInit)
    )
    const text = await broken.text()
    assert.strictEqual(broken.status, 400)
    assert.notInclude(text, "secret")
  })
})

describe("the limits of the OAuth endpoints", () => {
  it("an address is limited at each endpoint separately, until the window ends", async () => {
    const limited = await startHost({ RATE_LIMITS: "on" })
    const ask = (path: string, address: string) =>
      limited.ask(path, { method: "POST", headers: { "cf-connecting-ip": address } })
    for (const [path, limit] of [
      ["/oauth/par", 100],
      ["/oauth/token", 300],
      ["/oauth/revoke", 100]
    ] as const) {
      for (let count = 0; count < limit; count++) {
        assert.strictEqual((await ask(path, "192.0.2.1")).status, 400)
      }
      const refused = await ask(path, "192.0.2.1")
      assert.strictEqual(named(refused), "429 temporarily_unavailable")
      assert.match(refused.headers.get("retry-after") ?? "", /^\d+$/)
      assert.match(refused.headers.get("dpop-nonce") ?? "", /^[\w-]{10,}$/)
      assert.strictEqual((await ask(path, "192.0.2.2")).status, 400)
    }
    limited.advance(301_000)
    assert.strictEqual((await ask("/oauth/par", "192.0.2.1")).status, 400)
    await limited.close()
  })
})
