import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as OutgoingFetch from "../../src/layers/host/OutgoingFetch.ts"
import { Outgoing, type OutgoingRequest } from "../../src/services/host/Outgoing.ts"
import { internet, type Routes, silence } from "./support.ts"

const usual = { maxBytes: 1000, timeout: "3 seconds" } as const

const world = (routes: Routes) => {
  const net = internet(routes)
  return { ...net, layer: OutgoingFetch.layer({ fetch: net.fetch }) }
}

const request = (url: string, options: Partial<OutgoingRequest> = {}) =>
  Effect.flatMap(Outgoing, (outgoing) => outgoing.request(url, { ...usual, ...options }))

const redirect = (location: string, status = 302) =>
  new Response(null, { status, headers: { location } })

/** A body that never ends. */
const endless = () =>
  new Response(
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(400))
    })
  )

describe("outgoing requests", () => {
  it.effect("a request sends its parts and returns status, headers and body", () => {
    const seen: Array<Request> = []
    const net = world({
      "https://example.com/a": (received) => {
        seen.push(received)
        return new Response("hello", { status: 201, headers: { "x-one": "1" } })
      }
    })
    return Effect.gen(function* () {
      const response = yield* request("https://example.com/a?b=c", {
        method: "POST",
        headers: { "content-type": "text/plain", cookie: "session=1" },
        accept: "text/plain",
        body: "question"
      })
      assert.strictEqual(new TextDecoder().decode(response.body), "hello")
      assert.strictEqual(response.status, 201)
      assert.strictEqual(response.headers.get("x-one"), "1")
      const [received] = seen
      assert.strictEqual(received?.url, "https://example.com/a?b=c")
      assert.strictEqual(received?.headers.get("accept"), "text/plain")
      assert.strictEqual(received?.headers.get("user-agent"), "nacre")
      assert.isNull(received?.headers.get("cookie"))
      assert.strictEqual(yield* Effect.promise(() => (received as Request).text()), "question")
    }).pipe(Effect.provide(net.layer))
  })

  it.effect("a request sends only its own headers, whatever case they are given in", () => {
    const seen: Array<Headers> = []
    const net = world({
      "https://example.com/a": ({ headers }) => {
        seen.push(headers)
        return new Response("hello")
      }
    })
    const headers = {
      Accept: "a/b",
      Cookie: "session=1",
      Host: "other.example",
      "User-Agent": "me"
    }
    return Effect.gen(function* () {
      const outgoing = yield* Outgoing
      const streamed = { headers, maxBytes: 1000, timeout: "3 seconds", bodyTimeout: 1000 } as const
      yield* request("https://example.com/a", { headers })
      for (const open of [
        outgoing.open("https://example.com/a", streamed),
        Effect.promise(() => outgoing.openNow("https://example.com/a", streamed))
      ]) {
        const { body } = yield* open
        yield* Effect.promise(() => body?.cancel() ?? Promise.resolve())
      }
      assert.deepStrictEqual(
        seen.map((one) => Object.fromEntries(one)),
        Array.from({ length: 3 }, () => ({ accept: "a/b", "user-agent": "nacre" }))
      )
    }).pipe(Effect.provide(net.layer))
  })

  it.effect("an opened request whose headers are late is aborted, with and without a fiber", () => {
    const signals: Array<AbortSignal> = []
    const layer = OutgoingFetch.layer({
      fetch: (_, { signal }) => {
        if (signal instanceof AbortSignal) signals.push(signal)
        return silence()
      }
    })
    const late = { maxBytes: 1000, bodyTimeout: 1000, timeout: "1 millis" } as const
    return Effect.gen(function* () {
      const outgoing = yield* Outgoing
      const opening = yield* Effect.forkChild(
        Effect.flip(outgoing.open("https://example.com/a", late))
      )
      yield* TestClock.adjust("1 millis")
      const failures = [
        yield* Fiber.join(opening),
        yield* Effect.promise(() =>
          outgoing.openNow("https://example.com/a", late).then(
            () => undefined,
            (failure: unknown) => failure
          )
        )
      ]
      for (const failure of failures) assert.propertyVal(failure, "operation", "timeout")
      assert.deepStrictEqual(
        signals.map(({ aborted }) => aborted),
        [true, true]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("a request never reaches an address that is not public", () => {
    const net = world({})
    return Effect.gen(function* () {
      for (const url of [
        "http://example.com/",
        "https://169.254.169.254/",
        "https://x.internal/"
      ]) {
        const error = yield* Effect.flip(request(url))
        assert.strictEqual(error._tag, "OutgoingRefused")
      }
      assert.deepStrictEqual(net.asked, [])
    }).pipe(Effect.provide(net.layer))
  })

  it.effect(
    "a request never reaches this server, under any name, directly or by a redirect",
    () => {
      const net = internet({
        "https://example.com/": () => redirect("https://alice.pds.example.com/"),
        "https://feeds.pds.example.com/": () => new Response("a service beside this server")
      })
      const layer = OutgoingFetch.layer({
        fetch: net.fetch,
        own: { host: "pds.example.com", handleDomains: ["pds.example.com", "people.example.org"] },
        besides: ["feeds.pds.example.com", "pds.example.com"]
      })
      return Effect.gen(function* () {
        for (const url of [
          "https://pds.example.com/",
          "https://PDS.example.com:443/",
          "https://alice.pds.example.com/",
          "https://people.example.org/"
        ]) {
          const error = yield* Effect.flip(request(url))
          assert.strictEqual(error._tag, "OutgoingRefused", url)
          const opened = yield* Effect.flip(
            Effect.flatMap(Outgoing, (outgoing) =>
              outgoing.open(url, { ...usual, bodyTimeout: 1000 })
            )
          )
          assert.strictEqual(opened._tag, "OutgoingRefused", url)
        }
        const led = yield* Effect.flip(request("https://example.com/", { redirects: 3 }))
        assert.strictEqual(led._tag, "OutgoingRefused")
        assert.deepStrictEqual(net.asked, ["https://example.com/"])
        assert.strictEqual((yield* request("https://feeds.pds.example.com/")).status, 200)
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("a request follows no redirect by default", () => {
    const net = world({ "https://example.com/": () => redirect("https://example.org/") })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(request("https://example.com/"))
      assert.strictEqual(error._tag, "OutgoingRefused")
      assert.deepStrictEqual(net.asked, ["https://example.com/"])
    }).pipe(Effect.provide(net.layer))
  })

  it.effect("a request follows redirects up to its limit, without credentials", () => {
    const authorizations: Array<string | null> = []
    const net = world({
      "https://example.com/": (received) => {
        authorizations.push(received.headers.get("authorization"))
        return redirect("/next", 301)
      },
      "https://example.com/next": () => redirect("https://example.org/end", 308),
      "https://example.org/end": (received) => {
        authorizations.push(received.headers.get("authorization"))
        return new Response("end")
      }
    })
    return Effect.gen(function* () {
      const options = { headers: { authorization: "Bearer secret" }, redirects: 2 }
      const response = yield* request("https://example.com/", options)
      assert.strictEqual(response.url, "https://example.org/end")
      assert.deepStrictEqual(authorizations, ["Bearer secret", null])
      const error = yield* Effect.flip(request("https://example.com/", { redirects: 1 }))
      assert.strictEqual(error._tag, "OutgoingRefused")
      const post = { method: "POST", redirects: 2 } as const
      assert.strictEqual(
        (yield* Effect.flip(request("https://example.com/", post)))._tag,
        "OutgoingRefused"
      )
    }).pipe(Effect.provide(net.layer))
  })

  for (const target of ["http://example.com/", "https://127.0.0.1/", "//localhost/", "file:///x"]) {
    it.effect(`a request checks every redirect's address: ${target}`, () => {
      const net = world({ "https://example.com/": () => redirect(target) })
      return Effect.gen(function* () {
        const error = yield* Effect.flip(request("https://example.com/", { redirects: 5 }))
        assert.strictEqual(error._tag, "OutgoingRefused")
        assert.strictEqual(net.asked.length, 1)
      }).pipe(Effect.provide(net.layer))
    })
  }

  it.effect("a request stops reading at its size limit, whatever length is declared", () => {
    const net = world({
      "https://example.com/endless": endless,
      "https://example.com/announced": () =>
        new Response("x", { headers: { "content-length": "1001" } }),
      "https://example.com/fits": () => new Response("x".repeat(1000))
    })
    return Effect.gen(function* () {
      for (const path of ["endless", "announced"]) {
        const error = yield* Effect.flip(request(`https://example.com/${path}`))
        assert.strictEqual(error._tag, "OutgoingRefused", path)
      }
      assert.strictEqual((yield* request("https://example.com/fits")).body.length, 1000)
    }).pipe(Effect.provide(net.layer))
  })

  it.effect("a request times out while it waits for headers or the body", () => {
    const net = world({
      "https://example.com/silent": silence,
      "https://example.com/slow": () =>
        new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }))
    })
    return Effect.gen(function* () {
      for (const path of ["silent", "slow"]) {
        const fiber = yield* Effect.forkChild(Effect.flip(request(`https://example.com/${path}`)))
        yield* TestClock.adjust("3 seconds")
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error._tag, "OutgoingFailed")
        assert.strictEqual(error._tag === "OutgoingFailed" && error.operation, "timeout")
      }
    }).pipe(Effect.provide(net.layer))
  })

  it.effect("a request fails for an unexpected status", () => {
    const net = world({ "https://example.com/": () => new Response("gone", { status: 410 }) })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(request("https://example.com/"))
      assert.strictEqual(error._tag === "OutgoingFailed" && error.status, 410)
      const allowed = yield* request("https://example.com/", { allowStatus: [410] })
      assert.strictEqual(allowed.status, 410)
      const any = yield* request("https://example.com/", { allowStatus: "any" })
      assert.strictEqual(any.status, 410)
    }).pipe(Effect.provide(net.layer))
  })

  it.effect("a connection failure is a typed error without the query", () => {
    const net = world({})
    return Effect.gen(function* () {
      const error = yield* Effect.flip(request("https://example.com/?token=secret"))
      assert.strictEqual(error._tag === "OutgoingFailed" && error.operation, "connect")
      assert.strictEqual(error.url, "https://example.com/")
    }).pipe(Effect.provide(net.layer))
  })
})

describe("streamed responses", () => {
  const open = (path: string, maxBytes: number) =>
    Effect.flatMap(Outgoing, (outgoing) =>
      outgoing.open(`https://example.com/${path}`, {
        maxBytes,
        timeout: "3 seconds",
        bodyTimeout: 5000
      })
    )
  const net = world({
    "https://example.com/whole": () => new Response("x".repeat(500)),
    "https://example.com/endless": endless,
    "https://example.com/redirect": () => redirect("https://example.com/whole"),
    "https://example.com/empty": () => new Response(null, { status: 204 }),
    "https://example.com/silent": silence
  })

  it.effect("a streamed response arrives complete", () =>
    Effect.gen(function* () {
      const answer = yield* open("whole", 500)
      assert.strictEqual(
        (yield* Effect.promise(() => new Response(answer.body).text())).length,
        500
      )
      assert.isNull((yield* open("empty", 500)).body)
    }).pipe(Effect.provide(net.layer))
  )

  it.effect("a streamed response breaks off at its size limit", () =>
    Effect.gen(function* () {
      const { body } = yield* open("endless", 1000)
      const read = yield* Effect.exit(Effect.tryPromise(() => new Response(body).arrayBuffer()))
      assert.strictEqual(read._tag, "Failure")
    }).pipe(Effect.provide(net.layer))
  )

  it.effect("a streamed request follows no redirect, and times out", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open("redirect", 1000))
      assert.strictEqual(error._tag === "OutgoingFailed" && error.status, 302)
      const fiber = yield* Effect.forkChild(Effect.flip(open("silent", 1000)))
      yield* TestClock.adjust("3 seconds")
      const late = yield* Fiber.join(fiber)
      assert.strictEqual(late._tag === "OutgoingFailed" && late.operation, "timeout")
    }).pipe(Effect.provide(net.layer))
  )
})
