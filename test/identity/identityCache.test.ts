import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { accountDidDocument } from "../../src/core/identity/didDocument.ts"
import * as Plc from "../../src/core/identity/plcOperation.ts"
import { Identity } from "../../src/services/identity/Identity.ts"
import { PlcDirectory } from "../../src/services/identity/PlcDirectory.ts"
import { alice, bob, bobDocument, carol, genesis, key, pds, sign, world } from "./world.ts"

describe("the identity cache", () => {
  const url = "https://bob.com/.well-known/did.json"
  const file = "https://bob.com/.well-known/atproto-did"

  /** A world in which Bob's document can change or fail. */
  const changing = () => {
    let answer = () => Response.json(bobDocument)
    const made = world({ [url]: () => answer() })
    return {
      ...made,
      count: () => made.asked.filter((asked) => asked === url).length,
      become: (next: () => Response) => {
        answer = next
      }
    }
  }
  const changed = { ...bobDocument, alsoKnownAs: ["at://new.bob.com"] }
  const nameOf = Effect.flatMap(Identity, (identity) => identity.resolveDid(bob)).pipe(
    Effect.map((document) => document.alsoKnownAs?.[0])
  )

  it.effect("the cache is used for an hour", () => {
    const { count, layer } = changing()
    return Effect.gen(function* () {
      yield* nameOf
      yield* TestClock.adjust("59 minutes")
      yield* nameOf
      assert.strictEqual(count(), 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "the cache returns the old value after an hour and starts one refresh in the background",
    () => {
      const { become, count, layer, queue } = changing()
      return Effect.gen(function* () {
        yield* nameOf
        become(() => Response.json(changed))
        yield* TestClock.adjust("61 minutes")
        assert.strictEqual(yield* nameOf, "at://bob.com")
        assert.strictEqual(yield* nameOf, "at://bob.com")
        assert.strictEqual(queue.length, 1)
        assert.strictEqual(count(), 1)
        for (const work of queue) yield* work
        assert.strictEqual(yield* nameOf, "at://new.bob.com")
        assert.strictEqual(count(), 2)
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("the cache serves an outage for a day, with a retry each minute, and no longer", () => {
    const { become, layer, queue } = changing()
    return Effect.gen(function* () {
      yield* nameOf
      become(() => new Response("", { status: 503 }))
      yield* TestClock.adjust("23 hours")
      assert.strictEqual(yield* nameOf, "at://bob.com")
      for (const work of queue.splice(0)) yield* work
      assert.strictEqual(yield* nameOf, "at://bob.com")
      assert.strictEqual(queue.length, 0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* nameOf, "at://bob.com")
      assert.strictEqual(queue.length, 1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* Effect.flip(nameOf))._tag, "IdentityUnavailable")
    }).pipe(Effect.provide(layer))
  })

  it.effect("the cache drops a DID that a refresh doesn't find", () => {
    const { become, layer, queue } = changing()
    return Effect.gen(function* () {
      yield* nameOf
      become(() => new Response("", { status: 404 }))
      yield* TestClock.adjust("2 hours")
      yield* nameOf
      for (const work of queue) yield* work
      assert.strictEqual((yield* Effect.flip(nameOf))._tag, "DidNotFound")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a fresh look-up bypasses the cache and updates it", () => {
    const { become, count, layer } = changing()
    return Effect.gen(function* () {
      yield* nameOf
      become(() => Response.json(changed))
      const identity = yield* Identity
      yield* identity.resolveDid(bob, { fresh: true })
      assert.strictEqual(yield* nameOf, "at://new.bob.com")
      assert.strictEqual(count(), 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("forget takes effect at once, even for a look-up in progress", () => {
    let release: (response: Response) => void = () => assert.fail("nobody asked")
    let first = true
    const { layer } = world({
      [url]: () => {
        if (!first) return Response.json(changed)
        first = false
        return new Promise((resolve) => {
          release = resolve
        })
      }
    })
    return Effect.gen(function* () {
      const identity = yield* Identity
      const early = yield* Effect.forkChild(nameOf, { startImmediately: true })
      yield* identity.forget(bob)
      release(Response.json(bobDocument))
      assert.strictEqual(yield* Fiber.join(early), "at://bob.com")
      assert.strictEqual(yield* nameOf, "at://new.bob.com")
    }).pipe(Effect.provide(layer))
  })

  it.effect("the cache holds at most its capacity", () => {
    const made = world({}, { capacity: 1 })
    return Effect.gen(function* () {
      const identity = yield* Identity
      for (const did of [bob, carol, bob]) yield* identity.resolveDid(did)
      assert.strictEqual(made.asked.filter((asked) => asked === url).length, 2)
    }).pipe(Effect.provide(made.layer))
  })

  it.effect(
    "the cache holds a limited amount of text, since owners decide how long their documents are",
    () => {
      const length = JSON.stringify(bobDocument).length
      const asked = (documentCharacters: number) => {
        const made = world({}, { documentCharacters })
        return Effect.gen(function* () {
          const identity = yield* Identity
          for (const did of [bob, carol, bob, carol, bob]) yield* identity.resolveDid(did)
          return made.asked.filter((one) => one === url).length
        }).pipe(Effect.provide(made.layer))
      }
      return Effect.gen(function* () {
        assert.strictEqual(yield* asked(length * 1.5), 3)
        assert.strictEqual(yield* asked(length * 3), 1)
      })
    }
  )

  it.effect("the cache also holds handles", () => {
    const made = world()
    return Effect.gen(function* () {
      const identity = yield* Identity
      yield* identity.resolveHandle("bob.com")
      yield* identity.resolveHandle("BOB.com")
      assert.strictEqual(made.asked.filter((asked) => asked === file).length, 1)
    }).pipe(Effect.provide(made.layer))
  })
})

describe("identities of this server", () => {
  it.effect("identities of this server are resolved without the network", () => {
    const dora = "did:web:dora.com"
    const didDoc = accountDidDocument({ did: dora, handle: "dora.com", signingKey: key, pds })
    const made = world(
      {},
      {
        local: (didOrHandle) =>
          Effect.succeed(
            didOrHandle === dora || didOrHandle === "dora.com"
              ? Option.some({ did: dora, didDoc })
              : didOrHandle === "alice.here.com"
                ? Option.some({ did: alice })
                : Option.none()
          )
      }
    )
    return Effect.gen(function* () {
      const identity = yield* Identity
      const found = yield* identity.resolveIdentity("Dora.com")
      assert.deepStrictEqual(found, { did: dora, handle: "dora.com", didDoc })
      assert.strictEqual(yield* identity.resolveHandle("alice.here.com"), alice)
      assert.deepStrictEqual(made.asked, [])
      assert.strictEqual((yield* identity.resolveDid(alice)).id, alice)
    }).pipe(Effect.provide(made.layer))
  })
})

describe("a DID with a tombstone", () => {
  it.effect("a DID with a tombstone fails with DidDeactivated", () =>
    Effect.gen(function* () {
      const plc = yield* PlcDirectory
      yield* plc.submit(alice, sign(Plc.tombstoneOperation(genesis)))
      const error = yield* Effect.flip((yield* Identity).resolveDid(alice))
      assert.strictEqual(error._tag, "DidDeactivated")
    }).pipe(Effect.provide(world().layer))
  )
})
