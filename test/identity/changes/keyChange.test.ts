import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  Identity,
  IdentityUnavailable,
  KeyNotFound
} from "../../../src/services/identity/Identity.ts"
import * as ServiceTokens from "../../../src/services/sessions/ServiceTokens.ts"
import {
  aliceKey,
  es256k,
  forge,
  good,
  labelKey,
  refusal,
  signerOf,
  usedOnce,
  verify
} from "../../sessions/serviceTokenWorld.ts"

describe("service auth after a key change", () => {
  /** An identity whose cached key differs from the current one. */
  const rotated = (known: string | undefined, fresh: string) => {
    const asked: Array<boolean> = []
    const identity = Layer.mock(Identity, {
      documentNow: () => undefined,
      signingKey: (did, options) =>
        Effect.suspend(() => {
          asked.push(options?.fresh === true)
          const key = options?.fresh === true ? fresh : known
          return key === undefined
            ? Effect.fail(new KeyNotFound({ did, id: "atproto" }))
            : Effect.succeed(key)
        })
    })
    return {
      asked,
      layer: ServiceTokens.layer.pipe(Layer.provide(Layer.merge(identity, usedOnce)))
    }
  }

  it.effect(
    "the key is resolved once more, bypassing the cache, if the cached one fails or is missing",
    () =>
      Effect.gen(function* () {
        const { didKey } = yield* aliceKey.signer
        const other = (yield* labelKey.signer).didKey
        for (const known of [other, undefined]) {
          const { asked, layer } = rotated(known, didKey)
          yield* verify(yield* forge(es256k, good)).pipe(Effect.provide(layer))
          assert.deepStrictEqual(asked, [false, true])
        }
        const { asked, layer } = rotated(didKey, other)
        yield* verify(yield* forge(es256k, good)).pipe(Effect.provide(layer))
        assert.deepStrictEqual(asked, [false])
      })
  )

  it.effect("a new look-up doesn't make a forged token valid", () =>
    Effect.gen(function* () {
      const { didKey } = yield* aliceKey.signer
      const { asked, layer } = rotated(didKey, didKey)
      const forged = yield* forge(es256k, good, signerOf("k256"))
      const error = yield* refusal(verify(forged)).pipe(Effect.provide(layer))
      assert.strictEqual(error, "BadJwtSignature")
      assert.deepStrictEqual(asked, [false, true])
    })
  )

  it.effect("no key is resolved for an issuer that may not call this server", () =>
    Effect.gen(function* () {
      const { didKey } = yield* aliceKey.signer
      const { asked, layer } = rotated(didKey, didKey)
      const token = yield* forge(es256k, good)
      const error = yield* refusal(verify(token, { issuers: ["did:web:other.com"] })).pipe(
        Effect.provide(layer)
      )
      assert.strictEqual(error, "UntrustedIss")
      assert.deepStrictEqual(asked, [])
      yield* verify(token, { issuers: [good.iss] }).pipe(Effect.provide(layer))
    })
  )

  it.effect("an unavailable key is not reported as the caller's fault", () => {
    const identity = Layer.mock(Identity, {
      documentNow: () => undefined,
      signingKey: (did) => Effect.fail(new IdentityUnavailable({ subject: did }))
    })
    return Effect.gen(function* () {
      const error = yield* refusal(verify(yield* forge(es256k, good)))
      assert.strictEqual(error, "IdentityUnavailable")
    }).pipe(
      Effect.provide(ServiceTokens.layer.pipe(Layer.provide(Layer.merge(identity, usedOnce))))
    )
  })
})
