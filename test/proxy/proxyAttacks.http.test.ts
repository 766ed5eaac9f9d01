import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { createServer, type Server, type Socket } from "node:net"
import type { AddressInfo } from "node:net"
import { gzipSync } from "node:zlib"
import { services } from "../support/network/mockNetwork.ts"
import { type MockWorld, publish, startMockWorld } from "../support/network/mockWorld.ts"
import { sendJson } from "../support/network/mockService.ts"
import { basic, requestOf, serviceDid } from "../support/http/httpHost.ts"
import { outcomeOf, serviceToken } from "../support/http/httpWorld.ts"

const timeline = "app.bsky.feed.getTimeline"

describe("the proxy under attack", () => {
  let world: MockWorld
  let auth: string
  beforeAll(async () => {
    world = await startMockWorld({
      BLOB_LIMIT: "2000000",
      HANDLE_DOMAINS: "test,people.example.org"
    })
    auth = world.alice.auth
    for (const service of world.services.all) service.on("com.example.echo", () => ({}))
  })
  afterAll(() => world.close())

  /** How many requests the services got. */
  const count = () => world.services.all.reduce((sum, { received }) => sum + received.length, 0)

  const to = (proxy: string, nsid = "com.example.echo") =>
    world.call(nsid, { auth, headers: { "atproto-proxy": proxy } })

  it("the proxy serves nobody without credentials, and contacts no service", async () => {
    const before = count()
    const asked = world.network.asked.length
    const tokens = {
      nothing: undefined,
      garbage: "Bearer garbage",
      "another scheme": "Digest x",
      administrator: basic(),
      "a service token": `Bearer ${await serviceToken(world, world.alice.did, { lxm: timeline })}`,
      "another account's": `Bearer ${world.bob.auth.slice("Bearer ".length, -2)}xx`
    }
    const headers = { "atproto-proxy": "did:web:target.example.com#view" }
    for (const [name, header] of Object.entries(tokens)) {
      for (const nsid of [timeline, "com.example.echo"]) {
        const { status } = await world.call(nsid, { auth: header, headers })
        assert.isTrue(status === 400 || status === 401, `${name} ${status}`)
        assert.isAtLeast((await world.call(nsid, { auth: header })).status, 400, name)
      }
    }
    assert.strictEqual(count(), before)
    assert.strictEqual(world.network.asked.length, asked)
  })

  it("the proxy rejects an invalid service name", async () => {
    const { appView } = services
    const before = count()
    for (const header of [
      "",
      "#",
      "nonsense",
      appView,
      `${appView}#`,
      "#bsky_appview",
      `${appView}#bsky_appview#more`,
      `${appView}#bsky appview`,
      `${appView}#bsky_appview, ${services.chat}#bsky_chat`,
      `${appView}%23bsky_appview`,
      "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme#view",
      "did:web:api.view.example.com/path#view",
      "did:web:user@api.view.example.com#view",
      "did:web:127.0.0.1#view",
      "did:web:api.view.example.com:8080#view",
      "https://api.view.example.com/#view",
      `did:web:${"a".repeat(3000)}.example.com#view`
    ]) {
      const answer = await to(header)
      assert.strictEqual(outcomeOf(answer), "400 InvalidRequest", header)
    }
    assert.strictEqual(count(), before)
  })

  it("the proxy contacts only public https origins, whatever a DID document says", async () => {
    const { port } = new URL(world.services.appView.url)
    const before = count()
    const asked = world.network.asked.length
    const endpoints = [
      "http://public.example.com",
      "https://public.example.com:8443",
      "https://public.example.com/path",
      "https://public.example.com/?query=1",
      "https://public.example.com/#fragment",
      "https://user:password@public.example.com",
      `https://${world.services.appView.host}@public.example.com`,
      `http://localhost:${port}`,
      `http://[::1]:${port}`,
      `https://127.0.0.1`,
      "http://127.1:65535",
      "https://0x7f000001",
      "https://2130706433",
      "https://10.0.0.1",
      "https://192.168.1.1",
      "https://169.254.169.254",
      "https://[fe80::1]",
      "https://[::ffff:127.0.0.1]",
      "https://metadata.internal",
      "https://server.local",
      "https://intranet",
      "https://server.test",
      "file:///etc/passwd",
      "javascript:alert(1)",
      "//public.example.com",
      "https://public.example.com\\@127.0.0.1",
      "https://pub\tlic.example.com"
    ]
    for (const [at, endpoint] of endpoints.entries()) {
      const did = publish(world, `evil${at}.example.com`, { view: endpoint })
      const answer = await to(`${did}#view`)
      assert.strictEqual(outcomeOf(answer), "400 InvalidRequest", endpoint)
    }
    const reached = world.network.asked.slice(asked).filter((url) => !url.endsWith("/did.json"))
    assert.deepStrictEqual(reached, [])
    assert.strictEqual(count(), before)
  })

  it("the proxy doesn't contact this server, by its DID, its address or another name for it", async () => {
    const did = publish(world, "mirror.example.com", {
      view: "http://localhost:8787",
      domain: "https://people.example.org",
      below: "https://Alice.people.example.org:443",
      dotted: "https://alice.people.example.org."
    })
    for (const name of [
      `${serviceDid}#atproto_pds`,
      `${serviceDid}#bsky_appview`,
      `${world.alice.did}#atproto_pds`,
      `${did}#view`,
      `${did}#dotted`
    ]) {
      assert.strictEqual(outcomeOf(await to(name)), "400 InvalidRequest", name)
    }
    for (const name of [`${did}#domain`, `${did}#below`]) {
      const { body } = await to(name)
      assert.strictEqual(body["message"], "this server does not proxy to itself", name)
    }
  })

  it("the proxy rejects missing services", async () => {
    const did = publish(world, "here.example.com", { view: "https://view.example.com" })
    for (const name of [`${did}#other`, "did:web:nobody.example.com#view"]) {
      assert.strictEqual(outcomeOf(await to(name)), "400 InvalidRequest", name)
    }
  })

  it("the proxy follows no redirect", async () => {
    const before = world.services.chat.received.length
    for (const status of [301, 302, 303, 307, 308]) {
      for (const location of [`${world.services.chat.url}/xrpc/com.example.echo`, "/elsewhere"]) {
        world.services.appView.on("com.example.redirect", (_, response) => {
          response.writeHead(status, { location, "content-type": "application/json" }).end("{}")
        })
        for (const method of ["GET", "POST"]) {
          const answer = await world.call("com.example.redirect", { auth, method })
          assert.strictEqual(outcomeOf(answer), "502 UpstreamFailure", `${status} ${method}`)
          assert.isNull(answer.headers.get("location"))
        }
      }
    }
    assert.strictEqual(world.services.chat.received.length, before)
  })

  it("the proxy returns 501 for every com.atproto method that no AppView has, with or without credentials", async () => {
    const before = count()
    const named = { "atproto-proxy": `${services.appView}#bsky_appview` }
    const input = { record: { text: "private" }, password: "secret" }
    for (const nsid of [
      "com.atproto.space.createRecord",
      "com.atproto.space.listSpaces",
      "com.atproto.simplespace.createSpace",
      "COM.atproto.Simplespace.getSpace",
      "com.atproto.server.unknown",
      "com.atproto.SERVER.resetPassword",
      "com.atproto.server.REQUESTemailUpdate",
      "COM.ATPROTO.identity.signPlcOperation",
      "Com.Atproto.Server.DeactivateAccount",
      "com.atproto.admin.SendEmail",
      "com.atproto.admin.unknown",
      "com.atproto.sync.listHosts",
      "com.atproto.lexicon.resolveLexicon",
      "com.atproto.temp.requestPhoneVerification",
      "com.atproto.tomorrow.createRecord"
    ]) {
      for (const headers of [{}, named]) {
        for (const asked of [
          {},
          { auth },
          { auth: "Bearer garbage" },
          { auth, input },
          { input }
        ]) {
          const answer = await world.call(nsid, { ...asked, headers })
          assert.strictEqual(outcomeOf(answer), "501 MethodNotImplemented", nsid)
        }
      }
      const put = await world.call(nsid, { method: "PUT" })
      assert.strictEqual(outcomeOf(put), "501 MethodNotImplemented", nsid)
    }
    assert.strictEqual(count(), before)
  })

  it("this server's own methods stay here, whatever service is named", async () => {
    const before = count()
    const headers = { "atproto-proxy": `${services.chat}#bsky_chat` }
    const answer = await world.call("com.atproto.server.getSession", { auth, headers })
    assert.strictEqual(answer.body["did"], world.alice.did)
    assert.strictEqual(
      (
        await world.call("com.atproto.repo.describeRepo", {
          params: { repo: world.alice.did },
          headers
        })
      ).status,
      200
    )
    assert.strictEqual(count(), before)
  })

  it("a caller can't inject anything into the forwarded request", async () => {
    world.services.appView.on("com.example.raw", ({ search, headers }) => ({ search, headers }))
    const query = "?a=1%0d%0aset-cookie:%20evil=1&b=%00&c=/../../admin&d=#x"
    const answer = await world.call("com.example.raw", {
      query,
      auth,
      headers: {
        "transfer-encoding": "chunked",
        connection: "keep-alive, authorization",
        "x-atproto-note": "a",
        "content-length": "5",
        host: "internal.example.com",
        te: "trailers",
        upgrade: "h2c"
      }
    })
    assert.strictEqual(answer.status, 200, answer.text)
    const { search, headers } = answer.body
    assert.strictEqual(search, query.slice(0, query.indexOf("#")))
    assert.strictEqual(headers["host"], world.services.appView.host)
    assert.match(headers["authorization"], /^Bearer /)
    for (const name of ["transfer-encoding", "content-length", "te", "upgrade", "set-cookie"]) {
      assert.isUndefined(headers[name], name)
    }
    const path = await world.ask("/xrpc/com.example.raw%2f..%2f..%2fadmin", { auth })
    assert.strictEqual(outcomeOf(path), "400 InvalidRequest")
  })

  it("responses are limited: JSON to 10 MiB decoded, others to the size of a blob", async () => {
    const big = Buffer.alloc(11 * 1024 * 1024, 32)
    const declared = { "content-length": String(big.length) }
    const cases = [
      [{ "content-type": "application/json", ...declared }, big],
      [{ "content-type": "application/vnd.ipld.car", ...declared }, big]
    ] as const
    for (const [headers, body] of cases) {
      world.services.appView.on("com.example.big", (_, response) => {
        response.writeHead(200, headers).end(body)
      })
      const answer = await world.call("com.example.big", { auth })
      assert.strictEqual(outcomeOf(answer), "502 UpstreamFailure")
    }
  })

  it("the proxy ends an endless response", async () => {
    let sent = 0
    world.services.appView.on("com.example.endless", (_, response) => {
      response.writeHead(200, { "content-type": "application/json" })
      const chunk = Buffer.alloc(1024 * 1024, 32)
      const more = (): void => {
        sent += 1
        if (!response.destroyed) response.write(chunk, () => setImmediate(more))
      }
      more()
    })
    const response = await world.handler(requestOf("/xrpc/com.example.endless", { auth }))
    assert.strictEqual(response.status, 200)
    const failure = await response.arrayBuffer().then(
      () => undefined,
      (error: unknown) => error
    )
    assert.isDefined(failure, "the body breaks off")
    assert.isBelow(sent, 64)
  })

  it("the proxy reads only name and message of an error", async () => {
    const fault = { error: "Big", message: "x".repeat(100_000), more: "y".repeat(1_000_000) }
    world.services.appView.on("com.example.fault", (_, response) => {
      sendJson(response, 400, fault)
    })
    const answer = await world.call("com.example.fault", { auth })
    assert.strictEqual(outcomeOf(answer), "400 InvalidRequest")
    assert.isBelow(answer.bytes.length, 4096)
    // Not in the service, which shares this process: on a busy machine, the proxy would time out.
    const packed = gzipSync(JSON.stringify({ error: "Bomb", message: "z".repeat(50_000_000) }))
    world.services.appView.on("com.example.fault", (_, response) => {
      response.writeHead(400, { "content-type": "application/json", "content-encoding": "gzip" })
      response.end(packed)
    })
    const bomb = await world.call("com.example.fault", { auth })
    assert.strictEqual(outcomeOf(bomb), "400 InvalidRequest")
    assert.isBelow(bomb.bytes.length, 4096)
  })

  it("the proxy accepts request bodies up to the size of a blob", async () => {
    world.services.appView.on("com.example.sink", ({ body }) => ({ size: body.length }))
    const headers = { "content-type": "application/octet-stream" }
    const send = (size: number) =>
      world.call("com.example.sink", { auth, headers, body: new Uint8Array(size) })
    assert.strictEqual((await send(2_000_000)).body["size"], 2_000_000)
    assert.strictEqual(outcomeOf(await send(2_000_001)), "413 PayloadTooLarge")
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536))
    })
    const answer = await world.call("com.example.sink", { auth, headers, body: endless })
    assert.strictEqual(outcomeOf(answer), "413 PayloadTooLarge")
  })

  describe("with a service that speaks raw HTTP", () => {
    let server: Server
    let answer: (socket: Socket) => void
    let name: string
    beforeAll(async () => {
      server = createServer((socket) => {
        socket.on("error", () => socket.destroy())
        socket.once("data", () => answer(socket))
      })
      await new Promise<void>((resolve) => {
        server.listen(0, "127.0.0.1", resolve)
      })
      const { port } = server.address() as AddressInfo
      await world.close()
      world = await startMockWorld({ DEV_ALLOW_HOSTS: `127.0.0.1:${port}` })
      auth = world.alice.auth
      world.network.servers.add(`http://127.0.0.1:${port}`)
      name = `${publish(world, "raw.example.com", { view: `http://127.0.0.1:${port}` })}#view`
    })
    afterAll(
      () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve())
        })
    )

    const say = (text: string) => {
      answer = (socket) => socket.end(text)
    }

    it("a service can't split a response or set cookies", async () => {
      for (const header of [
        "etag: a\r\n set-cookie: evil=1",
        "etag: a\rset-cookie: evil=1",
        "etag: a\nset-cookie: evil=1",
        "content-language: de\0\r\nx: y",
        "retry-after: 1\r\n\r\nHTTP/1.1 200 OK\r\nset-cookie: evil=1"
      ]) {
        say(
          `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n${header}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok`
        )
        const response = await to(name).catch(() => undefined)
        assert.isNull(response?.headers.get("set-cookie") ?? null, JSON.stringify(header))
        for (const [, value] of response?.headers ?? []) assert.notMatch(value, /[\r\n\0]/)
      }
    })

    it("a service that breaks off, sends garbage or closes at once is reported as failing", async () => {
      for (const text of ["", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-ty"]) {
        say(text)
        assert.strictEqual(outcomeOf(await to(name)), "502 UpstreamFailure", text)
      }
    })

    it("a body that breaks off also breaks off for the caller", async () => {
      say('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a":')
      const request = requestOf("/xrpc/com.example.echo", {
        auth,
        headers: { "atproto-proxy": name }
      })
      const response = await world.handler(request)
      assert.strictEqual(response.status, 200)
      const failure = await response.text().then(
        () => undefined,
        (error: unknown) => error
      )
      assert.isDefined(failure)
    })
  })
})
