import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as OAuthClientsOutgoing from "../../../src/layers/oauth/OAuthClientsOutgoing.ts"
import * as OutgoingFetch from "../../../src/layers/host/OutgoingFetch.ts"
import { OAuthClients } from "../../../src/services/oauth/OAuthClients.ts"
import { internet, type Routes, silence } from "../../identity/support.ts"
import { clientId, confidential, publicKey, publicWeb, without } from "./clientWorld.ts"

const jwksUri = "https://keys.example.com/jwks.json"
const remote = { ...without(confidential, "jwks"), jwks_uri: jwksUri }

const world = (routes: Routes, allowHosts: ReadonlyArray<string> = []) => {
  const { asked, fetch } = internet(routes)
  const own = { host: "pds.example.org", handleDomains: [] }
  const layer = OAuthClientsOutgoing.layer({ allowHosts, capacity: 3 }).pipe(
    Layer.provide(OutgoingFetch.layer({ fetch, allowHosts, own }))
  )
  return { asked, layer }
}

/** A world whose one document can change, with a count of its requests. */
const changing = (url: string, first: () => Response | Promise<Response>, routes: Routes = {}) => {
  let answer = first
  const { asked, layer } = world({ ...routes, [url]: () => answer() })
  return {
    layer,
    count: () => asked.filter((one) => one === url).length,
    become: (next: () => Response) => {
      answer = next
    }
  }
}

const get = (id: string) => Effect.flatMap(OAuthClients, (clients) => clients.get(id))
const nameOf = Effect.map(get(clientId), ({ name }) => name)
const keyIds = (fresh: boolean) =>
  Effect.gen(function* () {
    const clients = yield* OAuthClients
    const keys = yield* clients.keys(yield* clients.get(clientId), { fresh })
    return keys.map(({ kid }) => kid)
  })

const named = (client_name: string) => () => Response.json({ ...publicWeb, client_name })
const keySet = (...kids: ReadonlyArray<string>) =>
  Response.json({ keys: kids.map((kid) => ({ ...publicKey, kid })) })

const html = () => new Response("<html></html>", { headers: { "content-type": "text/html" } })
const json = (text: BodyInit, status = 200) =>
  new Response(text, { status, headers: { "content-type": "application/json" } })
const redirect = (location: string, status: number) => () =>
  new Response(null, { status, headers: { location } })
const inline = (...kids: ReadonlyArray<string>) =>
  Response.json({
    ...confidential,
    jwks: { keys: kids.map((kid) => ({ ...publicKey, kid })) }
  })

describe("clients on the web", () => {
  it.effect("a client is fetched once in ten minutes", () => {
    const { become, count, layer } = changing(clientId, named("first"))
    return Effect.gen(function* () {
      assert.strictEqual(yield* nameOf, "first")
      become(named("second"))
      yield* TestClock.adjust("599 seconds")
      assert.strictEqual(yield* nameOf, "first")
      assert.strictEqual(count(), 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* nameOf, "second")
      assert.strictEqual(count(), 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("the oldest client leaves a full cache", () => {
    const ids = ["a", "b", "c", "d"].map((name) => `https://${name}.example.com/client.json`)
    const { asked, layer } = world(
      Object.fromEntries(
        ids.map((id) => [
          id,
          () => Response.json({ ...without(publicWeb, "client_uri"), client_id: id })
        ])
      )
    )
    return Effect.gen(function* () {
      for (const id of [...ids, ...ids.slice(3), ...ids.slice(0, 1)]) yield* get(id)
      assert.deepStrictEqual(asked, [...ids, ...ids.slice(0, 1)])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a slow response doesn't block other requests", () => {
    const slow = changing(clientId, silence)
    return Effect.gen(function* () {
      const first = yield* Effect.forkChild(Effect.flip(nameOf), { startImmediately: true })
      slow.become(named("second"))
      assert.strictEqual(yield* nameOf, "second")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(first))._tag, "ClientUnavailable")
      assert.strictEqual(yield* nameOf, "second")
    }).pipe(Effect.provide(slow.layer))
  })

  const charset = { headers: { "content-type": "Application/JSON; charset=utf-8" } }
  it.effect("a document may name its character set", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* nameOf, "Example App")
    }).pipe(
      Effect.provide(
        world({ [clientId]: () => new Response(JSON.stringify(publicWeb), charset) }).layer
      )
    )
  )

  const refused: ReadonlyArray<readonly [what: string, answer: () => Response, reason: RegExp]> = [
    ["a redirect", redirect("https://app.example.com/other.json", 302), /redirect/],
    ["a permanent redirect", redirect("https://app.example.com/other.json", 308), /redirect/],
    ["a redirect to a private address", redirect("https://169.254.169.254/", 307), /redirect/],
    ["404", () => json("{}", 404), /404/],
    ["403", () => json(JSON.stringify(publicWeb), 403), /403/],
    ["201", () => json(JSON.stringify(publicWeb), 201), /201/],
    ["204", () => new Response(null, { status: 204 }), /204/],
    ["a web page", html, /content type/],
    ["text", () => new Response(JSON.stringify(publicWeb)), /content type/],
    [
      "another kind of JSON",
      () => Response.json(publicWeb, { headers: { "content-type": "application/ld+json" } }),
      /content type/
    ],
    ["no JSON", () => json("<html>"), /not JSON/],
    ["a list", () => json("[]"), /JSON object/],
    ["too much", () => json(JSON.stringify({ ...publicWeb, x: "a".repeat(270_000) })), /larger/],
    [
      "the document of another client",
      () => Response.json({ ...publicWeb, client_id: "https://bank.example.com/client.json" }),
      /client_id/
    ],
    [
      "a private key",
      () => Response.json({ ...confidential, jwks: { keys: [{ ...publicKey, d: "secret" }] } }),
      /private/
    ]
  ]
  for (const [what, answer, reason] of refused) {
    it.effect(`a client is rejected when its address returns ${what}`, () => {
      const { asked, layer } = world({ [clientId]: answer })
      return Effect.gen(function* () {
        const error = yield* Effect.flip(get(clientId))
        assert.strictEqual(error._tag, "ClientRefused")
        assert.match(error.reason, reason)
        assert.deepStrictEqual(asked, [clientId])
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("invalid redirect URIs have their own error", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(get(clientId))
      assert.isTrue(error._tag === "ClientRefused" && error.error === "invalid_redirect_uri")
    }).pipe(
      Effect.provide(
        world({
          [clientId]: () => Response.json({ ...publicWeb, redirect_uris: ["http://evil.com/"] })
        }).layer
      )
    )
  )

  const unavailable: ReadonlyArray<readonly [what: string, answer: () => Response]> = [
    ["500", () => new Response("", { status: 500 })],
    ["503", () => new Response("", { status: 503 })],
    ["429", () => new Response("", { status: 429 })]
  ]
  for (const [what, answer] of unavailable) {
    it.effect(`a client is unavailable when its address returns ${what}`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(get(clientId)))._tag, "ClientUnavailable")
      }).pipe(Effect.provide(world({ [clientId]: answer }).layer))
    )
  }

  it.effect("a client is unavailable after five seconds without a response", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.flip(get(clientId)), { startImmediately: true })
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "ClientUnavailable")
      assert.match(error.reason, /timeout/)
    }).pipe(Effect.provide(world({ [clientId]: silence }).layer))
  )

  it.effect("a client is unavailable when its host can't be reached", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(get(clientId))
      assert.strictEqual(error._tag, "ClientUnavailable")
      assert.match(error.reason, /connect/)
    }).pipe(Effect.provide(world({}).layer))
  )

  it.effect("a failing client isn't fetched again for fifteen seconds", () => {
    const { become, count, layer } = changing(clientId, () => new Response("", { status: 404 }))
    return Effect.gen(function* () {
      for (const status of [404, 503]) {
        become(() => new Response("", { status }))
        const before = count()
        yield* Effect.flip(get(clientId))
        yield* TestClock.adjust("14999 millis")
        yield* Effect.flip(get(clientId))
        assert.strictEqual(count(), before + 1)
        yield* TestClock.adjust("1 millis")
      }
      become(named("back"))
      assert.strictEqual(yield* nameOf, "back")
    }).pipe(Effect.provide(layer))
  })

  const unasked = [
    "",
    "client",
    "http://app.example.com/client.json",
    "https://10.0.0.1/client.json",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost/client.json",
    "https://[::1]/client.json",
    "https://app.example.com:8443/client.json",
    "https://app.example.com/",
    "http://127.0.0.1:1234/client.json",
    "http://localhost:1234/client.json",
    "https://pds.example.org/client.json",
    "https://pds.example.org/oauth/authorize?client_id=x"
  ]
  for (const id of unasked) {
    it.effect(`the id ${JSON.stringify(id)} is rejected without a request`, () => {
      const { asked, layer } = world({})
      return Effect.gen(function* () {
        const error = yield* Effect.flip(get(id))
        const name = id.startsWith("https://pds.") ? "invalid_client_metadata" : "invalid_client"
        assert.isTrue(error._tag === "ClientRefused" && error.error === name)
        assert.deepStrictEqual(asked, [])
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("a development host may serve a client over http", () => {
    const id = "http://127.0.0.1:1234/client.json"
    const document = {
      ...without(publicWeb, "client_uri"),
      client_id: id,
      redirect_uris: ["http://127.0.0.1:1234/callback"]
    }
    const { layer } = world({ [id]: () => Response.json(document) }, ["127.0.0.1:1234"])
    return Effect.gen(function* () {
      assert.strictEqual((yield* get(id)).id, id)
    }).pipe(Effect.provide(layer))
  })
})

describe("loopback clients", () => {
  it.effect("a loopback client needs no request", () => {
    const { asked, layer } = world({})
    return Effect.gen(function* () {
      const client = yield* get("http://localhost?redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback")
      assert.strictEqual(client.kind, "loopback")
      assert.deepStrictEqual(client.redirectUris, ["http://127.0.0.1/callback"])
      assert.deepStrictEqual(yield* (yield* OAuthClients).keys(client, { fresh: true }), [])
      assert.deepStrictEqual(asked, [])
    }).pipe(Effect.provide(layer))
  })
})

describe("a confidential client's keys", () => {
  const document = { [clientId]: () => Response.json(remote) }

  it.effect("keys in the document are refetched with it, at most twice a minute", () => {
    const { become, count, layer } = changing(clientId, () => inline("one"))
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* keyIds(false), ["one"])
      become(() => inline("two"))
      assert.deepStrictEqual(yield* keyIds(true), ["one"])
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(yield* keyIds(false), ["one"])
      assert.deepStrictEqual(yield* keyIds(true), ["two"])
      assert.deepStrictEqual(yield* keyIds(false), ["two"])
      assert.strictEqual(count(), 2)
      become(() => inline("three"))
      yield* TestClock.adjust("29 seconds")
      assert.deepStrictEqual(yield* keyIds(true), ["two"])
      assert.strictEqual(count(), 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("keys at a jwks_uri are fetched once in ten minutes", () => {
    const { become, count, layer } = changing(jwksUri, () => keySet("one"), document)
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* keyIds(false), ["one"])
      become(() => keySet("two"))
      yield* TestClock.adjust("599 seconds")
      assert.deepStrictEqual(yield* keyIds(false), ["one"])
      assert.strictEqual(count(), 1)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* keyIds(false), ["two"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("keys are refetched at most every thirty seconds", () => {
    const { become, count, layer } = changing(jwksUri, () => keySet("one"), document)
    return Effect.gen(function* () {
      yield* keyIds(false)
      yield* TestClock.adjust("30 seconds")
      become(() => keySet("one", "two"))
      for (let use = 0; use < 5; use += 1) {
        assert.deepStrictEqual(yield* keyIds(true), ["one", "two"])
      }
      assert.strictEqual(count(), 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("an empty key set means that every key was withdrawn", () => {
    const { layer } = changing(jwksUri, () => keySet(), document)
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* keyIds(false), [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a key set may have the type application/jwk-set+json", () => {
    const headers = { "content-type": "application/jwk-set+json" }
    const answer = () => Response.json({ keys: [publicKey] }, { headers })
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* keyIds(false), ["one"])
    }).pipe(Effect.provide(changing(jwksUri, answer, document).layer))
  })

  it.effect("known keys stay valid when a refetch fails", () => {
    const { become, layer } = changing(jwksUri, () => keySet("one"), document)
    return Effect.gen(function* () {
      yield* keyIds(false)
      yield* TestClock.adjust("30 seconds")
      become(() => new Response("", { status: 503 }))
      assert.strictEqual((yield* Effect.flip(keyIds(true)))._tag, "ClientUnavailable")
      assert.deepStrictEqual(yield* keyIds(false), ["one"])
    }).pipe(Effect.provide(layer))
  })

  const refused: ReadonlyArray<readonly [what: string, answer: () => Response, reason: RegExp]> = [
    ["a redirect", () => Response.redirect("https://keys.example.com/other.json"), /redirect/],
    ["404", () => new Response("", { status: 404 }), /404/],
    ["a web page", () => new Response("<html></html>"), /content type/],
    ["no key set", () => Response.json([publicKey]), /list of keys/],
    ["a private key", () => Response.json({ keys: [{ ...publicKey, d: "secret" }] }), /private/],
    ["too much", () => Response.json({ keys: [], x: "a".repeat(270_000) }), /larger/]
  ]
  for (const [what, answer, reason] of refused) {
    it.effect(`keys are rejected when their address returns ${what}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(keyIds(false))
        assert.strictEqual(error._tag, "ClientRefused")
        assert.match(error.reason, reason)
      }).pipe(Effect.provide(changing(jwksUri, answer, document).layer))
    )
  }

  it.effect("keys are never fetched from this server", () => {
    const own = { ...remote, jwks_uri: "https://pds.example.org/oauth/jwks" }
    const { asked, layer } = world({ [clientId]: () => Response.json(own) })
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(keyIds(false)))._tag, "ClientRefused")
      assert.deepStrictEqual(asked, [clientId])
    }).pipe(Effect.provide(layer))
  })
})
