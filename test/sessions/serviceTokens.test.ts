import * as Crypto from "@atproto/crypto"
import { createServiceJwt, verifyJwt } from "@atproto/xrpc-server"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { OAuthRequests } from "../../src/services/oauth/OAuthRequests.ts"
import * as ServiceTokens from "../../src/services/sessions/ServiceTokens.ts"
import {
  alice,
  claims,
  create,
  es256k,
  forge,
  good,
  host,
  knowing,
  labelKey,
  lxm,
  refusal,
  signerOf,
  tokensOver,
  use,
  usedOnce,
  verify
} from "./serviceTokenWorld.ts"

const test = (
  title: string,
  body: Effect.Effect<void, unknown, ServiceTokens.ServiceTokens>,
  layer: Layer.Layer<ServiceTokens.ServiceTokens> = knowing()
) => it.effect(title, () => body.pipe(Effect.provide(layer)))

describe("service auth tokens", () => {
  test(
    "verify accepts our own tokens, with either name of the audience",
    Effect.gen(function* () {
      const expected = { iss: alice, keyId: "atproto", lxm, exp: 60 }
      assert.deepStrictEqual(yield* verify(yield* create()), { ...expected, aud: host })
      const aud = `${host}#atproto_pds`
      assert.deepStrictEqual(yield* verify(yield* create({ aud })), { ...expected, aud })
    })
  )

  for (const curve of ["k256", "p256"] as const) {
    const { secret, signer } = signerOf(curve)

    it.live(`the reference accepts our tokens of ${curve}`, () =>
      Effect.gen(function* () {
        const tokens = yield* ServiceTokens.ServiceTokens
        const made = yield* signer
        const token = yield* tokens.create(made, claims)
        const payload = yield* Effect.promise(() =>
          verifyJwt(token, host, lxm, async () => made.didKey)
        )
        assert.strictEqual(payload.iss, alice)
        assert.isString(payload.jti)
        const header = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString())
        assert.deepStrictEqual(header, {
          typ: "JWT",
          alg: curve === "k256" ? "ES256K" : "ES256",
          kid: "#atproto"
        })
      }).pipe(Effect.provide(knowing()))
    )

    it.live(`verify accepts the reference's tokens of ${curve}`, () =>
      Effect.gen(function* () {
        const made = yield* signer
        const keypair = yield* Effect.promise<Crypto.Keypair>(() =>
          (curve === "k256" ? Crypto.Secp256k1Keypair : Crypto.P256Keypair).import(secret)
        )
        const token = yield* Effect.promise(() => createServiceJwt({ ...claims, keypair }))
        const caller = yield* verify(token).pipe(Effect.provide(knowing({ atproto: made.didKey })))
        assert.strictEqual(caller.iss, alice)
      })
    )
  }

  test(
    "verify rejects malformed tokens by their error name",
    Effect.gen(function* () {
      assert.strictEqual(yield* refusal(verify("")), "MissingJwt")
      const token = yield* create()
      const [head = "", body = "", tail = ""] = token.split(".")
      for (const bad of [
        "x",
        "a.b",
        `${token}.x`,
        `.${body}.${tail}`,
        `${head}..${tail}`,
        `${head}.${body}.=${tail}`,
        `${head}.bnVsbA.${tail}`,
        `${"x".repeat(10_000)}.${body}.${tail}`
      ]) {
        assert.strictEqual(yield* refusal(verify(bad)), "BadJwt", bad.slice(0, 40))
      }
    })
  )

  test(
    "verify rejects other kinds of JWT, however well they are signed",
    Effect.gen(function* () {
      for (const typ of ["at+jwt", "refresh+jwt", "dpop+jwt", "AT+JWT"]) {
        const token = yield* forge({ ...es256k, typ }, good)
        assert.strictEqual(yield* refusal(verify(token)), "BadJwtType")
      }
    })
  )

  for (const [what, header, payload, expected] of [
    ["have expired", es256k, { ...good, exp: -1 }, "JwtExpired"],
    ["have no end", es256k, { ...good, exp: undefined }, "BadJwt"],
    ["have an end that is no number", es256k, { ...good, exp: "60" }, "BadJwt"],
    ["end more than a day ahead", es256k, { ...good, exp: 86_461 }, "BadJwt"],
    ["come from the future", es256k, { ...good, iat: 61, exp: 90 }, "BadJwt"],
    ["are for another service", es256k, { ...good, aud: "did:web:other.com" }, "BadJwtAudience"],
    ["are for another part of this one", es256k, { ...good, aud: `${host}#x` }, "BadJwtAudience"],
    ["have no audience", es256k, { ...good, aud: undefined }, "BadJwt"],
    ["have a list of audiences", es256k, { ...good, aud: [host] }, "BadJwt"],
    ["are for no method", es256k, { ...good, lxm: undefined }, "BadJwtLexiconMethod"],
    ["are for every method", es256k, { ...good, lxm: "*" }, "BadJwtLexiconMethod"],
    [
      "are for another method",
      es256k,
      { ...good, lxm: "com.atproto.server.createaccount" },
      "BadJwtLexiconMethod"
    ],
    ["come from nobody", es256k, { ...good, iss: "alice.test" }, "BadJwtIss"],
    [
      "come from a DID that does not exist",
      es256k,
      { ...good, iss: "did:web:nobody.com" },
      "BadJwtIss"
    ],
    ["name another DID's key", { ...es256k, kid: "did:web:other.com#atproto" }, good, "BadJwt"],
    ["name a key that may not speak here", { ...es256k, kid: "#atproto_label" }, good, "BadJwtIss"],
    ["claim another algorithm", { ...es256k, alg: "ES256" }, good, "BadJwtSignature"],
    ["claim no algorithm", { ...es256k, alg: "none" }, good, "BadJwtSignature"],
    ["demand an extension", { ...es256k, crit: ["b64"] }, good, "BadJwt"]
  ] as const) {
    test(
      `verify rejects tokens that ${what}: ${expected}`,
      Effect.gen(function* () {
        assert.strictEqual(yield* refusal(verify(yield* forge(header, payload))), expected)
      })
    )
  }

  test(
    "verify rejects tokens that were changed or signed by another key",
    Effect.gen(function* () {
      const stranger = yield* forge(es256k, good, signerOf("k256"))
      assert.strictEqual(yield* refusal(verify(stranger)), "BadJwtSignature")
      const [head = "", , tail = ""] = (yield* forge(es256k, good)).split(".")
      const body = Buffer.from(JSON.stringify({ ...good, exp: 61 })).toString("base64url")
      assert.strictEqual(yield* refusal(verify(`${head}.${body}.${tail}`)), "BadJwtSignature")
      assert.strictEqual(yield* refusal(verify(`${head}.${body}.`)), "BadJwtSignature")
    })
  )

  test(
    "verify rejects expired tokens",
    Effect.gen(function* () {
      const token = yield* create()
      yield* TestClock.adjust("60 seconds")
      yield* verify(token, { repeatable: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* refusal(verify(token)), "JwtExpired")
    })
  )

  test(
    "verify compares a method's authority case-insensitively and its name case-sensitively",
    Effect.gen(function* () {
      yield* verify(yield* create({ lxm: "COM.Atproto.Server.createAccount" }))
    })
  )

  test(
    "a token works once, with or without a jti, however its signature is encoded",
    Effect.gen(function* () {
      const named = yield* create()
      const nameless = yield* forge(es256k, { ...good, jti: undefined })
      for (const token of [named, nameless]) {
        yield* verify(token)
        assert.strictEqual(yield* refusal(verify(token)), "BadJwt")
      }
      const again = yield* forge({ ...es256k, kid: "#atproto" }, { ...good, jti: "2" })
      const respelled = yield* forge(es256k, { ...good, jti: "2", extra: 1 })
      yield* verify(again)
      assert.strictEqual(yield* refusal(verify(respelled)), "BadJwt")
    })
  )

  it.effect("a token works once on all parts of the server, and on those that start later", () =>
    Effect.gen(function* () {
      // Two instances over one store, like the Worker's isolates and the accounts' objects.
      const requests = yield* OAuthRequests
      const shared = Layer.succeed(OAuthRequests, requests)
      const part = () =>
        Effect.provide(ServiceTokens.ServiceTokens, Layer.fresh(tokensOver(shared)))
      const [first, second] = [yield* part(), yield* part()]
      const token = yield* create()
      yield* first.verify(token, use)
      assert.strictEqual(yield* refusal(second.verify(token, use)), "BadJwt")
      assert.strictEqual(yield* refusal((yield* part()).verify(token, use)), "BadJwt")
    }).pipe(Effect.provide(Layer.merge(usedOnce, knowing())))
  )

  test(
    "a token with an invalid signature doesn't use up its jti",
    Effect.gen(function* () {
      const stranger = yield* forge(es256k, good, signerOf("k256"))
      yield* Effect.flip(verify(stranger))
      yield* verify(yield* forge(es256k, good))
    })
  )

  test(
    "a token may be used again if the method allows it",
    Effect.gen(function* () {
      const token = yield* create()
      yield* verify(token, { repeatable: true })
      yield* verify(token, { repeatable: true })
    })
  )

  test(
    "a labeler's token is verified with its own key if one is expected",
    Effect.gen(function* () {
      const es256 = { typ: "JWT", alg: "ES256" }
      const keyIds = ["atproto", "atproto_label"]
      const old = { ...good, iss: `${alice}#atproto_labeler` }
      const caller = yield* verify(yield* forge(es256, old, labelKey), { keyIds })
      assert.strictEqual(caller.iss, alice)
      assert.strictEqual(caller.keyId, "atproto_label")
      const now = yield* forge({ ...es256, kid: "#atproto_label" }, { ...good, jti: "2" }, labelKey)
      yield* verify(now, { keyIds })
      const pretender = yield* forge({ ...es256k, kid: "#atproto_label" }, good)
      assert.strictEqual(yield* refusal(verify(pretender, { keyIds })), "BadJwtSignature")
    })
  )
})
