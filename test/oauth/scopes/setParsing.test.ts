import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { generatePrivateKey } from "../../../src/core/identity/didKey.ts"
import * as HostDatabaseNode from "../../../src/layers/host/sql/HostDatabaseNode.ts"
import { readPermissionSet, textIn } from "../../../src/core/oauth/permissionSet.ts"
import { AccountUnavailable } from "../../../src/services/accounts/Accounts.ts"
import {
  collection,
  did,
  didDocument,
  document,
  doh,
  getRecord,
  here,
  nsid,
  proof,
  type Proving,
  reasonOf,
  titleOf,
  unreachable,
  world as worldOver
} from "./permissionSets.fixture.ts"
import { silence, txt } from "../../identity/support.ts"
import { lexiconOf } from "./sets.ts"

const world = (...changes: Tail<Parameters<typeof worldOver>>) =>
  worldOver(HostDatabaseNode.layer(":memory:"), ...changes)

type Tail<A> = A extends [unknown, ...infer B] ? B : never

describe("the proof of a permission set", () => {
  const record = document("forged")
  const forgeries: Readonly<Record<string, Proving>> = {
    "of another account": { record, did: "did:web:other.org" },
    "signed by another key": { record, secret: generatePrivateKey("k256") },
    "without the commit": { record, tamper: "commit" },
    "without the way through the tree": { record, tamper: "tree" },
    "without the record": { record, tamper: "record" },
    "of absence, without the way to it": { tamper: "tree" }
  }
  for (const [name, forged] of Object.entries(forgeries)) {
    it.effect(`a proof is rejected when it is one ${name}`, () => {
      const { become, layer } = world()
      return Effect.gen(function* () {
        become(getRecord, () => proof(forged))
        assert.strictEqual(yield* reasonOf(), "its proof is not valid")
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("a proof of another record proves that this one doesn't exist", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      become(getRecord, () => proof({ record, path: `${collection}/${nsid}2` }))
      // In a tree of one node, both records have the same path.
      assert.strictEqual(yield* reasonOf(), "there is no such lexicon")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a proof is rejected if a byte has changed, it isn't a CAR, or it is too large", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      const bytes = new Uint8Array(yield* Effect.promise(() => proof({ record }).arrayBuffer()))
      const changed = bytes.slice()
      changed[changed.length - 20]! ^= 1
      become(getRecord, () => new Response(changed))
      assert.strictEqual(yield* reasonOf(), "its proof is not valid")
      become(getRecord, () => new Response("hello"))
      assert.strictEqual(yield* reasonOf(), "its proof is not valid")
      become(getRecord, () => new Response(new Uint8Array(256 * 1024 + 1)))
      assert.strictEqual(yield* reasonOf(), "its server does not answer")
    }).pipe(Effect.provide(layer))
  })
})

describe("the authority of a permission set", () => {
  it.effect("the authority is exactly the set's domain, and no parent", () => {
    const { layer, asked } = world()
    return Effect.gen(function* () {
      assert.strictEqual(
        yield* reasonOf("com.example.lexicons.deeper.authFull"),
        "_lexicon.deeper.lexicons.example.com names no DID"
      )
      assert.strictEqual(
        yield* reasonOf("com.example.authFull"),
        "_lexicon.example.com names no DID"
      )
      assert.strictEqual(asked(), 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("the authority must be unique, with a working DNS, a server and a key", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      become(doh, () => txt(`"did=${did}"`, '"did=did:web:other.org"'))
      assert.strictEqual(yield* reasonOf(), "_lexicon.lexicons.example.com names several DIDs")
      become(doh, unreachable)
      assert.strictEqual(
        yield* reasonOf(),
        "DNS could not be asked for _lexicon.lexicons.example.com"
      )
      become(doh, () => txt('"did=did:web:nobody.org"'))
      assert.strictEqual(yield* reasonOf(), "did:web:nobody.org has no document")
      become(doh, () => txt(`"did=${did}"`))
      become("https://lexicons.org/.well-known/did.json", () => Response.json({ id: did }))
      assert.strictEqual(yield* reasonOf(), `${did} names no server or no key`)
    }).pipe(Effect.provide(layer))
  })

  it.effect("the authority is not looked up under names that are never public", () => {
    const { layer, silent } = world()
    return Effect.gen(function* () {
      assert.strictEqual(
        yield* reasonOf("localhost.internal.authFull"),
        "internal.localhost is not a public name"
      )
      assert.isTrue(silent(doh))
    }).pipe(Effect.provide(layer))
  })

  it.effect("the authority must respond within 5 seconds", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      become(getRecord, () => {
        Deferred.doneUnsafe(reached, Effect.void)
        return silence()
      })
      const answer = yield* Effect.forkChild(reasonOf())
      yield* Deferred.await(reached)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* Fiber.join(answer), "its server does not answer")
    }).pipe(Effect.provide(layer))
  })

  it.effect("an authority on this server is asked without the network", () => {
    const seen: Array<string> = []
    const { layer, asked } = world(
      { "https://lexicons.org/.well-known/did.json": () => didDocument(here) },
      (of, request) => {
        seen.push(of, request.url)
        return Effect.succeed(Response.json({ value: document("local") }))
      }
    )
    return Effect.gen(function* () {
      assert.strictEqual(yield* titleOf, "local")
      assert.deepStrictEqual(seen, [
        did,
        `${here}/xrpc/com.atproto.repo.getRecord?repo=did%3Aweb%3Alexicons.org&collection=${collection}&rkey=${nsid}`
      ])
      assert.strictEqual(asked(), 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("an authority on this server reports a missing lexicon or a failure", () => {
    let answer: Effect.Effect<Response, AccountUnavailable> = Effect.succeed(
      Response.json({ error: "RecordNotFound", message: "" }, { status: 400 })
    )
    const { layer } = world(
      { "https://lexicons.org/.well-known/did.json": () => didDocument(`${here}/`) },
      () => answer
    )
    return Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf(), "there is no such lexicon")
      answer = Effect.succeed(Response.json({ error: "RepoDeactivated" }, { status: 400 }))
      assert.strictEqual(yield* reasonOf(), "its account here does not answer")
      answer = Effect.fail(new AccountUnavailable({ operation: "forward", did: "" }))
      assert.strictEqual(yield* reasonOf(), "its account here does not answer")
    }).pipe(Effect.provide(layer))
  })
})

const read = (main: Readonly<Record<string, unknown>>) =>
  readPermissionSet(nsid, lexiconOf(nsid, { permissions: [], ...main }))

describe("the texts of a permission set", () => {
  it("a text is in the first available language", () => {
    const set = read({
      title: "Full access",
      "title:lang": { de: "Voller Zugriff", "pt-BR": "Acesso total", pt: "Acesso completo" }
    })
    const title = (...languages: ReadonlyArray<string>) =>
      textIn(languages, set?.titles, set?.title)
    assert.strictEqual(title("de-AT", "pt"), "Voller Zugriff")
    assert.strictEqual(title("PT-br"), "Acesso total")
    assert.strictEqual(title("pt-PT"), "Acesso completo")
    assert.strictEqual(title("fr", "de"), "Voller Zugriff")
    assert.strictEqual(title("fr"), "Full access")
    assert.strictEqual(title("constructor"), "Full access")
    assert.strictEqual(title(), "Full access")
  })

  it("a text is short, on one line, and has one direction", () => {
    const set = read({ title: "a\nb\u202Ec\u2066d\u0000", detail: "x".repeat(1000) })
    assert.strictEqual(set?.title, "a b c d")
    assert.strictEqual(set?.detail, "x".repeat(500))
    assert.strictEqual(read({ title: "t".repeat(1000) })?.title, "t".repeat(100))
  })

  it("missing texts are omitted", () => {
    assert.deepStrictEqual(
      read({ title: 7, "title:lang": "no", detail: " ", "detail:lang": { de: 7 } }),
      {
        nsid,
        permissions: []
      }
    )
  })
})
