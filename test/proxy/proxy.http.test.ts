import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { ServerResponse } from "node:http"
import { gzipSync } from "node:zlib"
import { claimsOf, headerOf, services, tokenOf, verify } from "../support/network/mockNetwork.ts"
import { type MockWorld, publish, startMockWorld } from "../support/network/mockWorld.ts"
import { sendJson } from "../support/network/mockService.ts"
import { appPassword, ok, outcomeOf, session } from "../support/http/httpWorld.ts"
import { bearer } from "../support/http/httpHost.ts"
import { letIn, withApp } from "../support/http/httpApps.ts"

const timeline = "app.bsky.feed.getTimeline"
const report = "com.atproto.moderation.createReport"

/** Calls a method to which the AppView returns this; a text isn't JSON. */
const failing = (
  world: MockWorld,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
) => {
  world.services.appView.on("com.example.fault", (_, response) => {
    if (typeof body === "string") response.writeHead(status, headers).end(body)
    else sendJson(response, status, body, headers)
  })
  return world.call("com.example.fault", { auth: world.alice.auth })
}

describe("a method of another service", () => {
  let world: MockWorld
  let auth: string
  beforeAll(async () => {
    world = await startMockWorld()
    auth = world.alice.auth
    for (const service of world.services.all) {
      for (const nsid of [timeline, "com.example.echo", "chat.bsky.convo.listConvos", report]) {
        service.on(nsid, ({ method, search, body }) => ({ method, search, body: body.toString() }))
      }
    }
  })
  afterAll(() => world.close())

  const keyOf = async (did: string): Promise<string> => {
    const { body } = await world.call("com.atproto.identity.resolveDid", { params: { did } })
    return `did:key:${body["didDoc"].verificationMethod[0].publicKeyMultibase}`
  }

  it("the service gets the caller's parameters as they were written", async () => {
    const query = "?limit=5&a=%C3%A9%20b&a=2&empty="
    const answer = await world.call(timeline, { query, auth })
    assert.strictEqual(answer.status, 200, answer.text)
    assert.strictEqual(world.services.appView.last().search, query)
    assert.strictEqual(answer.body["search"], query)
    assert.strictEqual(answer.headers.get("cache-control"), "private")
    assert.strictEqual(answer.headers.get("vary"), "Authorization")
    assert.strictEqual(answer.headers.get("access-control-allow-origin"), "*")
  })

  it("the service gets a token that the official library verifies, for it and this method only, valid for a minute", async () => {
    const seen = new Set<unknown>()
    for (let count = 0; count < 2; count += 1) {
      ok(await world.call(timeline, { auth }))
      const received = world.services.appView.last()
      const payload = await verify(received, services.appView, timeline, keyOf)
      assert.strictEqual(payload.iss, world.alice.did)
      const token = tokenOf(received)
      assert.strictEqual(headerOf(token)["kid"], "#atproto")
      const { iat, exp, jti } = claimsOf(token)
      assert.strictEqual(Number(exp) - Number(iat), 60)
      assert.isString(jti)
      seen.add(jti)
    }
    assert.strictEqual(seen.size, 2)
  })

  it("a method goes to the AppView, the chat, the moderation or the report service, by its name in any case", async () => {
    const { appView, chat, moderation } = world.services
    const places = [
      [timeline, appView],
      ["com.example.echo", appView],
      ["chat.bsky.convo.listConvos", chat],
      ["CHAT.bsky.convo.listConvos", chat],
      ["tools.ozone.moderation.queryEvents", moderation],
      ["tools.Ozone.moderation.queryEvents", moderation],
      [report, moderation],
      ["com.atproto.label.queryLabels", appView]
    ] as const
    for (const [nsid, service] of places) {
      const before = service.received.length
      await world.call(nsid, { auth })
      assert.strictEqual(service.received.length, before + 1, nsid)
      assert.strictEqual(service.last().path, `/xrpc/${nsid}`)
      assert.strictEqual(claimsOf(tokenOf(service.last()))["lxm"], nsid)
    }
  })

  it("a method goes to the service that the caller names, by its DID document", async () => {
    const { generator } = world.services
    const did = publish(world, "other.example.com", {
      some_view: generator.url,
      more: "https://x.y"
    })
    const headers = { "atproto-proxy": `${did}#some_view` }
    ok(await world.call("com.example.echo", { auth, headers }))
    assert.strictEqual(claimsOf(tokenOf(generator.last()))["aud"], did)
    const own = { "atproto-proxy": `${services.chat}#bsky_chat` }
    ok(await world.call("com.example.echo", { auth, headers: own }))
    assert.strictEqual(claimsOf(tokenOf(world.services.chat.last()))["aud"], services.chat)
  })

  it("the proxy supports GET, HEAD and POST, with or without a body", async () => {
    const { appView } = world.services
    const got = await world.call("com.example.echo", { auth, method: "HEAD" })
    assert.strictEqual(got.status, 200)
    assert.strictEqual(got.bytes.length, 0)
    assert.strictEqual(appView.last().method, "HEAD")
    const posted = ok(await world.call("com.example.echo", { auth, input: { text: "grüße" } }))
    assert.strictEqual(posted["body"], '{"text":"grüße"}')
    assert.strictEqual(appView.last().headers["content-type"], "application/json")
    assert.strictEqual(
      ok(await world.call("com.example.echo", { auth, method: "POST" }))["body"],
      ""
    )
    const put = await world.call("com.example.echo", { auth, method: "PUT" })
    assert.strictEqual(outcomeOf(put), "400 InvalidRequest")
  })

  it("the service gets the caller's preferences and nothing about their identity", async () => {
    const passed = {
      "accept-language": "de, en;q=0.5",
      "atproto-accept-labelers": "did:plc:ar7c4by46qjdydhdevvrndac;redact",
      "x-bsky-topics": "clouds",
      "x-atproto-anything": "new",
      range: "bytes=0-9",
      "if-none-match": '"abc"'
    }
    const kept = {
      cookie: "device=1",
      dpop: "proof",
      origin: "https://app.example.com",
      referer: "https://app.example.com/private",
      "x-forwarded-for": "192.0.2.1",
      "cf-connecting-ip": "192.0.2.1",
      forwarded: "for=192.0.2.1",
      "x-ratelimit-bypass": "secret",
      "atproto-proxy": `${services.appView}#bsky_appview`,
      "proxy-authorization": "Basic x",
      "content-type": "text/plain"
    }
    ok(await world.call("com.example.echo", { auth, headers: { ...passed, ...kept } }))
    const { headers } = world.services.appView.last()
    for (const [name, value] of Object.entries(passed)) assert.strictEqual(headers[name], value)
    for (const name of Object.keys(kept)) assert.isUndefined(headers[name], name)
    assert.notInclude(JSON.stringify(headers), auth.slice("Bearer ".length))
    assert.strictEqual(headers["user-agent"], "nacre")
  })

  it("the caller gets the response headers that describe the response", async () => {
    const passed = {
      "content-type": "application/json; charset=utf-8",
      "content-language": "de",
      "atproto-repo-rev": "3kabc",
      "atproto-content-labelers": "did:plc:ar7c4by46qjdydhdevvrndac",
      "retry-after": "3",
      etag: '"abc"',
      "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
      "accept-ranges": "bytes"
    }
    const kept = {
      "set-cookie": "device=evil",
      location: "https://elsewhere.example.com/",
      "access-control-allow-origin": "https://elsewhere.example.com",
      "strict-transport-security": "max-age=0",
      "dpop-nonce": "evil",
      "www-authenticate": "Basic",
      "ratelimit-limit": "1",
      "clear-site-data": '"*"',
      server: "evil",
      "x-powered-by": "evil"
    }
    world.services.appView.on("com.example.headers", (_, response) =>
      sendJson(response, 200, {}, { ...passed, ...kept, "cache-control": "public, max-age=60" })
    )
    const { headers } = await world.call("com.example.headers", { auth })
    for (const [name, value] of Object.entries(passed)) {
      assert.strictEqual(headers.get(name), value, name)
    }
    for (const [name, value] of Object.entries(kept)) {
      assert.notStrictEqual(headers.get(name), value, name)
    }
    assert.strictEqual(headers.get("cache-control"), "private, no-cache")
    assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
    assert.include(headers.get("content-security-policy") ?? "", "sandbox")
  })

  it("the proxy streams a response: the first bytes arrive before the last exist", async () => {
    let upstream: ServerResponse | undefined
    world.services.appView.on("com.example.stream", (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" })
      response.write("first\n")
      upstream = response
    })
    const request = new Request("http://localhost:8787/xrpc/com.example.stream", {
      headers: { authorization: auth }
    })
    const { body } = await world.handler(request)
    const reader = body!.getReader()
    const first = await reader.read()
    assert.strictEqual(new TextDecoder().decode(first.value as Uint8Array), "first\n")
    upstream?.end("last\n")
    const last = await reader.read()
    assert.strictEqual(new TextDecoder().decode(last.value as Uint8Array), "last\n")
    assert.isTrue((await reader.read()).done)
  })

  it("the proxy streams a request: the first bytes arrive before the last exist", async () => {
    let more: ReadableStreamDefaultController<Uint8Array> | undefined
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        more = controller
        controller.enqueue(new TextEncoder().encode("first "))
      }
    })
    world.services.appView.stream("com.example.upload", async (message, response) => {
      let text = ""
      for await (const chunk of message) {
        if (text === "") {
          more!.enqueue(new TextEncoder().encode("last"))
          more!.close()
        }
        text += String(chunk)
      }
      sendJson(response, 200, { text, type: message.headers["content-type"] })
    })
    const headers = { "content-type": "application/octet-stream" }
    const answer = await world.call("com.example.upload", { auth, body, headers })
    const expected = { text: "first last", type: "application/octet-stream" }
    assert.deepStrictEqual(ok(answer), expected)
  })

  it("a response is passed on decoded or as it was encoded, never inconsistently", async () => {
    const text = JSON.stringify({ text: "cloud ".repeat(1000) })
    world.services.appView.on("com.example.packed", (_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
      response.end(gzipSync(text))
    })
    const answer = await world.call("com.example.packed", {
      auth,
      headers: { "accept-encoding": "gzip" }
    })
    // Node decodes whatever it fetches, so no header may declare an encoding.
    assert.isNull(answer.headers.get("content-encoding"))
    assert.strictEqual(answer.text, text)
  })

  it("the proxy passes on partial and not-modified responses", async () => {
    world.services.appView.on("com.example.part", ({ headers }, response) => {
      if (headers["if-none-match"] === '"v"') {
        response.writeHead(304, { etag: '"v"' }).end()
        return
      }
      response.writeHead(206, { "content-type": "text/plain", "content-range": "bytes 0-3/9" })
      response.end("part")
    })
    const part = await world.call("com.example.part", { auth, headers: { range: "bytes=0-3" } })
    assert.strictEqual(part.status, 206)
    assert.strictEqual(part.headers.get("content-range"), "bytes 0-3/9")
    assert.strictEqual(part.text, "part")
    const same = await world.call("com.example.part", { auth, headers: { "if-none-match": '"v"' } })
    assert.strictEqual(same.status, 304)
    assert.strictEqual(same.headers.get("etag"), '"v"')
  })

  it("the caller gets a service's errors by name, and a 502 for its faults", async () => {
    const fault = { error: "BlockedActor", message: "Requester has blocked actor" }
    const blocked = await failing(world, 400, fault)
    assert.strictEqual(outcomeOf(blocked), "400 BlockedActor")
    assert.deepStrictEqual(blocked.body, fault)
    const limited = await failing(
      world,
      429,
      { error: "RateLimitExceeded" },
      { "retry-after": "7" }
    )
    assert.strictEqual(outcomeOf(limited), "429 RateLimitExceeded")
    assert.strictEqual(limited.headers.get("retry-after"), "7")
    for (const [status, passed, name] of [
      [500, 502, "UpstreamFailure"],
      [501, 501, "MethodNotImplemented"],
      [502, 502, "UpstreamFailure"],
      [503, 503, "UpstreamFailure"],
      [504, 504, "UpstreamTimeout"],
      [522, 502, "UpstreamFailure"]
    ] as const) {
      const after = { "retry-after": "7" }
      const answer = await failing(world, status, { error: "Broken", message: "it broke" }, after)
      assert.strictEqual(outcomeOf(answer), `${passed} Broken`, String(status))
      assert.strictEqual(answer.body["message"], "it broke")
      assert.strictEqual(answer.headers.get("retry-after"), "7")
      const nameless = await failing(world, status, "<html>", { "content-type": "text/html" })
      assert.strictEqual(outcomeOf(nameless), `${passed} ${name}`, String(status))
      assert.notInclude(nameless.text, "<html>")
    }
    const page = await failing(world, 404, "<html>nothing here</html>", {
      "content-type": "text/html"
    })
    assert.strictEqual(outcomeOf(page), "404 NotFound")
    assert.notInclude(page.text, "<html>")
    const odd = await failing(world, 400, { error: { $: 1 }, message: ["x"], secret: "kept" })
    assert.strictEqual(outcomeOf(odd), "400 InvalidRequest")
    assert.notInclude(odd.text, "kept")
    assert.strictEqual(outcomeOf(await failing(world, 200, "", {})), "ok")
  })

  it("an unreachable service is a 502 UpstreamFailure", async () => {
    const gone = publish(world, "dead.example.com", { view: "https://unreachable.example.com" })
    world.network.dead.add("unreachable.example.com")
    const headers = { "atproto-proxy": `${gone}#view` }
    const answer = await world.call("com.example.echo", { auth, headers })
    assert.strictEqual(outcomeOf(answer), "502 UpstreamFailure")
    const asked = world.network.asked.filter((url) => url.includes("unreachable.example.com"))
    assert.lengthOf(asked, 2, "what only reads is asked once more")
  })

  it("app passwords may call other services, but chat only if privileged", async () => {
    const { bob } = world
    const as = async (privileged: boolean) => {
      const password = await appPassword(world, bob.did, `app ${privileged}`, privileged)
      const made = ok(
        await world.call("com.atproto.server.createSession", {
          input: { identifier: bob.did, password }
        })
      )
      return bearer(made["accessJwt"])
    }
    const standard = await as(false)
    ok(await world.call(timeline, { auth: standard }))
    const chat = "chat.bsky.convo.listConvos"
    for (const nsid of [chat, "Chat.Bsky.convo.listConvos"]) {
      const refused = await world.call(nsid, { auth: standard })
      assert.strictEqual(outcomeOf(refused), "400 InvalidToken", nsid)
    }
    ok(await world.call(chat, { auth: await as(true) }))
  })

  it("an app needs the permission for this method at this service", async () => {
    const { did } = world.alice
    const aud = `${services.appView}#bsky_appview`
    const calls = async (granted: string, nsid: string, headers: Record<string, string> = {}) => {
      const app = await letIn(world, did, `atproto ${granted}`)
      return outcomeOf(await world.call(nsid, await withApp(world, app, nsid, { headers })))
    }
    const chat = "chat.bsky.convo.listConvos"
    const missing = "403 ScopeMissingError"
    assert.strictEqual(
      await calls(`rpc:${timeline}?aud=${encodeURIComponent(aud)}`, timeline),
      "ok"
    )
    assert.strictEqual(await calls(`rpc:${timeline}?aud=*`, timeline), "ok")
    assert.strictEqual(await calls("transition:generic", timeline), "ok")
    assert.strictEqual(await calls("transition:generic transition:chat.bsky", chat), "ok")
    assert.strictEqual(await calls("", timeline), missing)
    assert.strictEqual(await calls(`rpc:com.example.echo?aud=*`, timeline), missing)
    assert.strictEqual(await calls("transition:generic", chat), missing)
    const elsewhere = `rpc:${timeline}?aud=${services.chat}%23bsky_chat`
    assert.strictEqual(await calls(elsewhere, timeline), missing)
    const otherService = `rpc:${timeline}?aud=${services.appView}%23other`
    assert.strictEqual(await calls(otherService, timeline), missing)
    const there = { "atproto-proxy": `${services.chat}#bsky_chat` }
    assert.strictEqual(await calls(elsewhere, timeline, there), "ok")
  })

  it("an app gets its next nonce with the response", async () => {
    const app = await letIn(world, world.alice.did, "atproto transition:generic")
    const answer = await world.call(timeline, await withApp(world, app, timeline))
    assert.isNotNull(answer.headers.get("dpop-nonce"))
    assert.isUndefined(world.services.appView.last().headers["dpop"])
  })

  it("inactive accounts may not call other services, except for the appeal of a taken-down one", async () => {
    const { carol, dora } = world
    const down = bearer((await session(world, carol.did, "takendown")).accessJwt)
    assert.strictEqual(outcomeOf(await world.call(timeline, { auth: down })), "400 InvalidToken")
    assert.strictEqual(
      outcomeOf(await world.call(timeline, { auth: carol.auth })),
      "401 AccountTakedown"
    )
    const appeal = { input: { reasonType: "com.atproto.moderation.defs#reasonAppeal" } }
    assert.strictEqual(outcomeOf(await world.call(report, { ...appeal, auth: down })), "ok")
    assert.strictEqual(claimsOf(tokenOf(world.services.moderation.last()))["iss"], carol.did)
    for (const nsid of [timeline, report]) {
      assert.strictEqual(
        outcomeOf(await world.call(nsid, { auth: dora.auth })),
        "401 AccountDeactivated"
      )
    }
  })

  it("a method without a service is a 501", async () => {
    const host = await startMockWorld({
      APP_VIEW: "none",
      CHAT_SERVICE: "none",
      MOD_SERVICE: "none"
    })
    const { auth } = host.alice
    for (const nsid of [timeline, "chat.bsky.convo.listConvos", "tools.ozone.team.x", report]) {
      const answer = await host.call(nsid, { auth })
      assert.strictEqual(outcomeOf(answer), "501 MethodNotImplemented", nsid)
    }
    await host.close()
  })
})
