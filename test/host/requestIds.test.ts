import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { vi } from "vitest"
import { accountApp } from "../../src/http/account.ts"
import { type HostServices, routes } from "../../src/http/host.ts"
import { makeHandler } from "../../src/http/webHandler.ts"
import * as ConfigEnv from "../../src/layers/host/ConfigEnv.ts"
import * as AccountsObject from "../../src/layers/objects/AccountsObject.ts"
import { Accounts } from "../../src/services/accounts/Accounts.ts"
import type { Misconfigured } from "../../src/services/host/Config.ts"
import { RequestId } from "../../src/services/host/RequestId.ts"
import { origin, startHost } from "../support/http/httpHost.ts"
import { ok, startWorld } from "../support/http/httpWorld.ts"
import { makeWorld } from "./faults/world.ts"

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const ray = "0123456789abcdef-VIE"

const places = [
  ...routes.map(({ verb, path }) => ({
    verb: verb === "*" ? "GET" : verb,
    path: path === "/xrpc/*" ? "/xrpc/com.atproto.server.getSession" : path.replace("*", "devices")
  })),
  { verb: "GET", path: "/nowhere" },
  { verb: "OPTIONS", path: "/xrpc/com.atproto.server.getSession" },
  { verb: "HEAD", path: "/xrpc/_health" }
]

describe("request ids", () => {
  it("every route's response has a new x-request-id", async () => {
    const world = await startWorld()
    const seen = new Set<string>()
    for (const { verb, path } of places) {
      const { headers } = await world.ask(path, { method: verb })
      const id = headers.get("x-request-id") ?? ""
      assert.match(id, uuid, `${verb} ${path}`)
      seen.add(id)
    }
    assert.strictEqual(seen.size, places.length)
    await world.close()
  })

  it("the id is Cloudflare's ray if there is one, and never the client's", async () => {
    const host = await startHost()
    const idOf = async (headers: Record<string, string>) =>
      (await host.ask("/xrpc/_health", { headers })).headers.get("x-request-id") ?? ""
    assert.strictEqual(await idOf({ "cf-ray": ray }), ray)
    assert.match(await idOf({ "x-request-id": "mine" }), uuid)
    assert.match(await idOf({ "cf-ray": "not a ray" }), uuid)
    await host.close()
  })

  it("scripts of other origins may read the id", async () => {
    const host = await startHost()
    const headers = { origin: "https://app.example.com" }
    const answer = await host.ask("/xrpc/_health", { headers })
    const exposed = answer.headers.get("access-control-expose-headers") ?? ""
    assert.include(exposed.toLowerCase(), "x-request-id")
    await host.close()
  })

  it("every log line about the request has the id, also those of the account's object", async () => {
    const lines: Array<string> = []
    const spy = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)))
    try {
      const world = await startWorld({ LOG_LEVEL: "info" })
      ok(
        await world.call("com.atproto.server.requestEmailConfirmation", {
          method: "POST",
          auth: world.alice.auth,
          headers: { "cf-ray": ray }
        })
      )
      await world.close()
    } finally {
      spy.mockRestore()
    }
    const entries = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line))
    const own = entries.filter(({ annotations }) => annotations.id === ray)
    assert.deepStrictEqual(
      own.map(({ message }) => message),
      ["No mailer is set up; the code is shown in the dashboard", "request"]
    )
  })

  it.effect("the body of every response from 500 up has the id", () =>
    Effect.gen(function* () {
      const { faults, ask, person } = yield* makeWorld
      const { auth } = yield* person("alice")
      faults.directory = "before"
      faults.objects = "before"
      const input = { identifier: "alice.test", password: "a long password" }
      const answers = [
        yield* ask("/ready"),
        yield* ask("/xrpc/_health"),
        yield* ask("/xrpc/com.atproto.server.createSession", { input }),
        yield* ask("/xrpc/com.atproto.server.getSession", { auth })
      ]
      for (const { status, body } of answers) {
        assert.strictEqual(status, 503)
        assert.match(body["requestId"], uuid)
      }
    }).pipe(Effect.scoped)
  )

  it("the error page shows the id", async () => {
    const host = await startHost()
    const headers = { accept: "text/html", "sec-fetch-site": "none", "cf-ray": ray }
    const page = await host.ask("/oauth/authorize?client_id=x", { headers })
    assert.strictEqual(page.status, 400)
    assert.include(page.text, `Request ID: <code>${ray}</code>`)
    await host.close()
  })
})

describe("an account's object", () => {
  const reached = (id: string | undefined, others: Record<string, string> = {}) => {
    const seen: {
      sent?: Request
      request?: Request
      header?: string | null
      given?: ReadonlyArray<unknown>
    } = {}
    const layer = AccountsObject.layer(
      () => ({
        fetch: async (request) => {
          assert.notTypeOf(request, "string")
          if (typeof request === "string") return new Response()
          seen.request = request
          seen.header = request.headers.get("x-request-id")
          return new Response()
        },
        call: async (_, ...given) => {
          seen.given = given
          return { output: undefined }
        }
      }),
      accountApp.failures
    )
    return Effect.gen(function* () {
      const accounts = yield* Accounts
      const headers = { "x-request-id": "a client's own", ...others }
      seen.sent = new Request("http://a.test", { headers })
      yield* accounts.forward("did:web:a.test", seen.sent)
      yield* accounts.call("did:web:a.test", "updateHandle", { handle: "a.test" })
      return seen
    }).pipe(Effect.provide(layer), Effect.provideService(RequestId, id))
  }

  it.effect(
    "the object gets the Worker's id with each request and call, in place of the client's",
    () =>
      Effect.gen(function* () {
        const { header, given = [] } = yield* reached(ray)
        assert.strictEqual(header, ray)
        assert.deepStrictEqual(AccountsObject.inputOf(given), {
          input: [{ handle: "a.test" }],
          requestId: ray,
          origin: { from: {}, operator: undefined }
        })
        assert.isNull((yield* reached(undefined)).header)
      })
  )

  it.effect("a request with the ray that is its id is passed on without a copy", () =>
    Effect.gen(function* () {
      const { sent, request } = yield* reached(ray, { "cf-ray": ray })
      assert.strictEqual(request, sent)
      const other = yield* reached(ray, { "cf-ray": "f".repeat(16) })
      assert.strictEqual(other.header, ray)
      assert.isFalse(other.request?.headers.has("cf-ray"))
    })
  )

  it("the object accepts a call without an id", () => {
    const input = [{ handle: "a.test" }]
    const nothing = { requestId: undefined, origin: { from: {} } }
    assert.deepStrictEqual(AccountsObject.inputOf(input), { input, ...nothing })
    assert.deepStrictEqual(AccountsObject.inputOf([]), { input: [], ...nothing })
  })
})

describe("a misconfigured host", () => {
  it("a misconfigured host's responses also have an id", async () => {
    // SAFETY: without settings, no service is used.
    const services = ConfigEnv.layer({}) as unknown as Layer.Layer<HostServices, Misconfigured>
    const response = await makeHandler(services)(new Request(`${origin}/xrpc/_health`))
    assert.strictEqual(response.status, 503)
    // SAFETY: an error is a JSON object.
    const body = (await response.json()) as { readonly requestId: string }
    assert.strictEqual(body.requestId, response.headers.get("x-request-id"))
    assert.match(body.requestId, uuid)
  })
})
