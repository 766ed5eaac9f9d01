import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Identity } from "../../src/services/identity/Identity.ts"
import { type Routes, silence, txt } from "./support.ts"
import { bobDocument, dns, doh, world } from "./world.ts"

describe("handle resolution", () => {
  const wellKnown = "https://dan.com/.well-known/atproto-did"
  const other = "did:web:other.com"
  const dan = "did:web:dan.com"

  const resolving = (
    title: string,
    answers: {
      readonly dns: () => Response | Promise<Response>
      readonly https?: () => Response | Promise<Response>
    },
    expected: string
  ) =>
    it.effect(title, () => {
      const { layer } = world({
        [doh]: dns({ "dan.com": answers.dns }),
        ...(answers.https === undefined ? {} : { [wellKnown]: answers.https })
      })
      return Effect.gen(function* () {
        const identity = yield* Identity
        const fiber = yield* Effect.forkChild(
          identity.resolveHandle("dan.com").pipe(Effect.catch(({ _tag }) => Effect.succeed(_tag)))
        )
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(yield* Fiber.join(fiber), expected)
      }).pipe(Effect.provide(layer))
    })

  const here = () => new Response(dan)
  const absent = () => Response.json({ Status: 3 })
  const servfail = () => Response.json({ Status: 2 })

  resolving(
    "prefers DNS to the well-known file",
    { dns: () => txt(`"did=${other}"`), https: here },
    other
  )
  resolving(
    "does not wait for the well-known file once DNS has answered",
    { dns: () => txt(`"did=${other}"`), https: silence },
    other
  )
  resolving(
    "reads TXT records that are bare, split or spaced",
    { dns: () => txt(`"did=did:web:" "other.com "`) },
    other
  )
  resolving("reads unquoted TXT records", { dns: () => txt(`did=${other}`) }, other)
  resolving(
    "passes over records that are none of its own",
    { dns: () => txt(`"v=spf1 -all"`, `"did=nonsense"`, `"did=${other}"`) },
    other
  )
  resolving(
    "takes the same record twice for one",
    { dns: () => txt(`"did=${other}"`, `"did=${other}"`) },
    other
  )
  resolving(
    "fails on records that name different DIDs, whatever the file says",
    { dns: () => txt(`"did=${other}"`, `"did=${dan}"`), https: here },
    "HandleNotFound"
  )
  resolving("reads the well-known file where DNS has no record", { dns: absent, https: here }, dan)
  resolving("reads the well-known file where DNS fails", { dns: servfail, https: here }, dan)
  resolving("reads the well-known file where DNS is silent", { dns: silence, https: here }, dan)
  resolving(
    "reads the well-known file where DNS talks nonsense",
    { dns: () => new Response("<html>"), https: here },
    dan
  )
  resolving(
    "finds nothing where both say no",
    { dns: absent, https: () => new Response("", { status: 404 }) },
    "HandleNotFound"
  )
  resolving(
    "finds nothing in a file that holds no DID",
    { dns: absent, https: () => new Response("<html>hello") },
    "HandleNotFound"
  )
  resolving(
    "finds nothing in a file that is too large",
    { dns: absent, https: () => new Response(dan + " ".repeat(5000)) },
    "HandleNotFound"
  )
  resolving("finds nothing where there is no web server", { dns: absent }, "HandleNotFound")
  resolving(
    "cannot tell where DNS fails and the file says nothing",
    { dns: servfail, https: () => new Response("", { status: 404 }) },
    "IdentityUnavailable"
  )
  resolving(
    "cannot tell where nobody answers in time",
    { dns: silence, https: silence },
    "IdentityUnavailable"
  )

  resolving(
    "reads the first line of the well-known file",
    { dns: absent, https: () => new Response(`\ufeff\n ${dan}\t\r\n# my DID\n${other}\n`) },
    dan
  )
  resolving(
    "takes no DID from a later line of the well-known file",
    { dns: absent, https: () => new Response(`# my DID\n${dan}\n`) },
    "HandleNotFound"
  )

  it.effect(
    "handle resolution follows a limited number of redirects of the well-known file",
    () => {
      const hop = (from: string, to: string): Routes => ({
        [from]: () => new Response(null, { status: 302, headers: { location: to } })
      })
      const file = (host: string) => `https://${host}.com/.well-known/atproto-did`
      const { layer } = world({
        [doh]: absent,
        ...hop(file("dan"), "https://www.dan.com/did"),
        "https://www.dan.com/did": here,
        ...hop(file("loop"), file("loop")),
        ...hop(file("inside"), "https://127.0.0.1/")
      })
      return Effect.gen(function* () {
        const identity = yield* Identity
        assert.strictEqual(yield* identity.resolveHandle("dan.com"), dan)
        for (const handle of ["loop.com", "inside.com"]) {
          assert.strictEqual(
            (yield* Effect.flip(identity.resolveHandle(handle)))._tag,
            "HandleNotFound"
          )
        }
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("handle resolution never asks about names that are never public", () => {
    const { asked, layer } = world()
    return Effect.gen(function* () {
      const identity = yield* Identity
      for (const handle of ["x.test", "x.internal", "x.localhost", "x.onion"]) {
        yield* Effect.flip(identity.resolveHandle(handle))
      }
      assert.deepStrictEqual(asked, [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("handle resolution reads the file over http from a host that tests allow", () => {
    const allowHosts = ["erin.test:4000"]
    const { layer } = world(
      { "http://erin.test:4000/.well-known/atproto-did": () => new Response(dan) },
      { allowHosts }
    )
    return Effect.gen(function* () {
      assert.strictEqual(yield* (yield* Identity).resolveHandle("erin.test"), dan)
    }).pipe(Effect.provide(layer))
  })
})

describe("did:web resolution", () => {
  const at = (answer: () => Response | Promise<Response>) =>
    world({ "https://dan.com/.well-known/did.json": answer }).layer

  for (const [what, answer, expected] of [
    ["is not there", () => new Response("", { status: 404 }), "DidNotFound"],
    ["is of another DID", () => Response.json(bobDocument), "DidNotFound"],
    ["is no JSON", () => new Response("<html>"), "DidNotFound"],
    ["is too large", () => new Response(" ".repeat(70_000)), "DidNotFound"],
    [
      "lies elsewhere",
      () => Response.redirect("https://bob.com/.well-known/did.json"),
      "DidNotFound"
    ],
    ["cannot be had now", () => new Response("", { status: 503 }), "IdentityUnavailable"],
    ["does not come", silence, "IdentityUnavailable"]
  ] as const) {
    it.effect(`did:web resolution fails when the document ${what}`, () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(
          Effect.flip((yield* Identity).resolveDid("did:web:dan.com"))
        )
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, expected)
      }).pipe(Effect.provide(at(answer)))
    )
  }

  it.effect("did:web resolution reaches localhost only if it is allowed", () => {
    const did = "did:web:localhost%3A2583"
    const document = { ...bobDocument, id: did }
    const url = "http://localhost:2583/.well-known/did.json"
    const open = world({ [url]: () => Response.json(document) }, { allowHosts: ["localhost:2583"] })
    const closed = world({ [url]: () => Response.json(document) })
    const resolve = Effect.flatMap(Identity, (identity) => identity.resolveDid(did))
    return Effect.gen(function* () {
      assert.strictEqual((yield* resolve.pipe(Effect.provide(open.layer))).id, did)
      const error = yield* Effect.flip(resolve.pipe(Effect.provide(closed.layer)))
      assert.strictEqual(error._tag, "DidNotFound")
    })
  })
})

describe("a DID document", () => {
  const large = "did:web:large.com"
  const url = "https://large.com/.well-known/did.json"
  const padded = (bytes: number) => {
    const text = JSON.stringify({ ...bobDocument, id: large, padding: "" })
    return new Response(
      text.replace('"padding":""', `"padding":"${"x".repeat(bytes - text.length)}"`)
    )
  }

  it.effect("a DID document may be up to 64 KiB", () =>
    Effect.gen(function* () {
      const resolve = (bytes: number) =>
        Effect.flatMap(Identity, (identity) => Effect.exit(identity.resolveDid(large))).pipe(
          Effect.provide(world({ [url]: () => padded(bytes) }).layer)
        )
      assert.strictEqual((yield* resolve(64 * 1024))._tag, "Success")
      assert.strictEqual((yield* resolve(64 * 1024 + 1))._tag, "Failure")
    })
  )
})
