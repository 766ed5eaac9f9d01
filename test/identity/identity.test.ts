import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as IdentityMemory from "../support/network/IdentityMemory.ts"
import { Identity } from "../../src/services/identity/Identity.ts"
import {
  alice,
  aliceDocument,
  bob,
  bobDocument,
  carol,
  carolDocument,
  key,
  unknown,
  world
} from "./world.ts"

/** What every Identity guarantees, in the world above. */
const identityContract = (name: string, layer: Layer.Layer<Identity>) =>
  describe(`Identity (${name})`, () => {
    const test = (
      title: string,
      body: (identity: Identity["Service"]) => Effect.Effect<void, unknown>
    ) => it.effect(title, () => Effect.flatMap(Identity, body).pipe(Effect.provide(layer)))

    test("resolveDid finds the documents of both DID methods", (identity) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* identity.resolveDid(alice)).id, alice)
        assert.deepStrictEqual(yield* identity.resolveDid(bob), bobDocument)
      }))

    test("resolveHandle finds DIDs by handle, in any case", (identity) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* identity.resolveHandle("alice.pds.com"), alice)
        assert.strictEqual(yield* identity.resolveHandle("Bob.COM"), bob)
      }))

    test("signingKey finds keys, and fails for a name without a key", (identity) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* identity.signingKey(alice), key)
        assert.strictEqual(yield* identity.signingKey(bob, { fresh: true }), key)
        const error = yield* Effect.flip(identity.signingKey(bob, { id: "atproto_label" }))
        assert.strictEqual(error._tag, "KeyNotFound")
      }))

    test("a DID or handle that doesn't exist is reported as not found", (identity) =>
      Effect.gen(function* () {
        for (const did of [unknown, "did:web:", "did:key:zabc", "nonsense"]) {
          assert.strictEqual((yield* Effect.flip(identity.resolveDid(did)))._tag, "DidNotFound")
        }
        for (const handle of ["nobody.com", "x.local", "not a handle", ""]) {
          const error = yield* Effect.flip(identity.resolveHandle(handle))
          assert.strictEqual(error._tag, "HandleNotFound", handle)
        }
      }))

    test("resolveIdentity returns DID and handle if each names the other", (identity) =>
      Effect.gen(function* () {
        for (const [asked, did, handle] of [
          [alice, alice, "alice.pds.com"],
          ["Alice.pds.com", alice, "alice.pds.com"],
          [bob, bob, "bob.com"],
          ["bob.com", bob, "bob.com"]
        ] as const) {
          const found = yield* identity.resolveIdentity(asked)
          assert.strictEqual(found.did, did)
          assert.strictEqual(found.handle, handle)
          assert.strictEqual(found.didDoc.id, did)
        }
      }))

    test("resolveIdentity returns handle.invalid if the handle is another DID's", (identity) =>
      Effect.gen(function* () {
        const found = yield* identity.resolveIdentity(carol)
        assert.strictEqual(found.handle, "handle.invalid")
        assert.strictEqual(found.did, carol)
      }))

    test("forget doesn't change any result", (identity) =>
      Effect.gen(function* () {
        yield* identity.resolveIdentity(alice)
        yield* identity.forget(alice)
        yield* identity.forget("alice.pds.com")
        assert.strictEqual((yield* identity.resolveIdentity(alice)).handle, "alice.pds.com")
      }))
  })

identityContract(
  "memory",
  IdentityMemory.layer({
    documents: [aliceDocument, bobDocument, carolDocument],
    handles: { "alice.pds.com": alice, "bob.com": bob }
  })
)
identityContract("resolver", world().layer)
