import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { TestClock } from "effect/testing"
import { createHmac } from "node:crypto"
import * as DpopProofsMaster from "../../../src/layers/oauth/DpopProofsMaster.ts"
import { checkProof, type ProofDemands } from "../../../src/core/oauth/dpop.ts"
import { isPublicJwk, signingAlgs, thumbprint } from "../../../src/core/oauth/jwk.ts"
import * as Soon from "../../../src/services/host/Soon.ts"
import { DpopProofs, type ProvenRequest } from "../../../src/services/oauth/DpopProofs.ts"
import { configLayer } from "../../sessions/accountServices.ts"
import { makeKey, sign, type SigningKey, unsigned } from "./signing.ts"

const seconds = 1_800_000_000
const token = "an.access.token"
const tokenHash = "UkM2b42E54u4hWzuKV_B3zyulUA6vtNYjJUv_ru2Qck"
const url = "https://pds.example.com/oauth/token"

const demands: ProofDemands = {
  htm: "POST",
  htu: url,
  now: seconds * 1000,
  isNonce: (nonce) => nonce === "fresh"
}

const claims = { jti: "one", htm: "POST", htu: url, iat: seconds, nonce: "fresh" }

const [key, other] = await Promise.all([makeKey("ES256"), makeKey("ES256")])

const headerOf = ({ publicJwk: jwk }: SigningKey, alg = "ES256") => ({ typ: "dpop+jwt", alg, jwk })
const header = headerOf(key)

/** A valid proof with these changes. */
const proofOf = (changed: { readonly header?: object; readonly claims?: object }) =>
  sign(key, { ...header, ...changed.header }, { ...claims, ...changed.claims })

const good = await proofOf({})

const hmac = (text: string) => createHmac("sha256", "secret").update(text).digest("base64url")

/** Checks a proof as the server does, which waits for a key's first signature. */
const check = async (proof: string | undefined, over: Partial<ProofDemands> = {}) => {
  const checked = checkProof(proof, { ...demands, ...over })
  return Result.isResult(checked) ? checked : checked()
}

const faultOf = async (proof: string | undefined, over: Partial<ProofDemands> = {}) => {
  const checked = await check(proof, over)
  return Result.isSuccess(checked) ? undefined : checked.failure
}

describe("DPoP proofs", () => {
  it("a valid proof returns its key, its id and its expiration", async () => {
    const jkt = await thumbprint(key.publicJwk)
    assert.deepStrictEqual(
      await check(good),
      Result.succeed({
        jkt,
        jti: "one",
        nonce: claims.nonce,
        issued: claims.iat * 1000,
        expires: (seconds + 300) * 1000
      })
    )
  })

  it("a key that has signed proofs before is known by its text, and each proof is verified", async () => {
    const same = { ...header, jwk: { ...key.publicJwk } }
    const again = await sign(key, same, { ...claims, jti: "two" })
    const by = async (proof: string) => Result.getOrThrow(await check(proof))
    assert.strictEqual((await by(again)).jkt, (await by(good)).jkt)
    const forged = await sign(other, header, claims)
    assert.strictEqual((await faultOf(forged))?.reason, "the signature does not verify")
    const named = await sign(key, { ...header, jwk: { ...key.publicJwk, kid: "a" } }, claims)
    assert.strictEqual((await by(named)).jkt, (await by(good)).jkt)
    const wrongAlg = { ...header, jwk: { ...key.publicJwk, alg: "ES384" } }
    assert.isDefined(await faultOf(await sign(key, wrongAlg, claims)))
    // More keys than are remembered.
    for (let at = 0; at < 201; at++) {
      const { jwk, ...rest } = header
      await faultOf(unsigned({ ...rest, jwk: { ...jwk, kid: String(at) } }, claims, "AAAA"))
    }
    assert.isUndefined(await faultOf(good))
  })

  it("a proof may use any algorithm in the metadata", async () => {
    for (const alg of signingAlgs) {
      const own = await makeKey(alg)
      const proof = await sign(own, headerOf(own, alg), claims)
      assert.isUndefined(await faultOf(proof), alg)
    }
  })

  it("a proof may spell the URL differently, and query and fragment don't count", async () => {
    for (const htu of [
      "HTTPS://PDS.Example.com:443/oauth/token",
      `${url}/../token`,
      `${url}?a=b`,
      `${url}?`,
      `${url}#a`,
      `${url}?a=b#c`
    ]) {
      assert.isUndefined(await faultOf(await proofOf({ claims: { htu } })), htu)
    }
    assert.isUndefined(await faultOf(good, { htu: `${url}?a=b#c` }))
  })

  it("a proof's clock may be off by a few minutes", async () => {
    for (const [off, reason] of [
      [-300, undefined],
      [-301, "iat is too old"],
      [180, undefined],
      [181, "iat is in the future"]
    ] as const) {
      const fault = await faultOf(await proofOf({ claims: { iat: seconds + off } }))
      assert.strictEqual(fault?.reason, reason, String(off))
    }
  })

  const { publicJwk, privateJwk } = key
  const hs256 = unsigned({ ...header, alg: "HS256" }, claims).slice(0, -1)
  const [signed, signature] = [good.slice(0, good.lastIndexOf(".")), good.split(".")[2]!]

  const notOne = "not one JWT of bounded size"
  const notPublic = "jwk is not a public key"
  const badUrl = "htu is not the URL of the request"

  /** A description, the proof, and the expected reason; everything else is valid. */
  const cases: ReadonlyArray<
    readonly [what: string, proof: string | Promise<string> | undefined, reason: string]
  > = [
    ["is missing", undefined, "DPoP proof is missing"],
    ["is empty", "", notOne],
    ["is two", `${good}, ${good}`, notOne],
    ["has a fourth part", `${good}.`, notOne],
    ["is no JWT", "proof", notOne],
    ["is larger than 8 KiB", proofOf({ claims: { pad: "a".repeat(8192) } }), notOne],
    ["has another type", proofOf({ header: { typ: "JWT" } }), "typ is not dpop+jwt"],
    ["has no type", proofOf({ header: { typ: undefined } }), "typ is not dpop+jwt"],
    ["is not signed", unsigned({ ...header, alg: "none" }, claims), "alg is not supported"],
    ["has an HMAC", `${hs256}.${hmac(hs256)}`, "alg is not supported"],
    ["has no algorithm", unsigned({ ...header, alg: undefined }, claims), "alg is not supported"],
    [
      "has critical headers",
      unsigned({ ...header, crit: ["b64"] }, claims),
      "crit is not supported"
    ],
    ["has no key", proofOf({ header: { jwk: undefined } }), notPublic],
    ["shows its private key", proofOf({ header: { jwk: privateJwk } }), notPublic],
    ["has a symmetric key", proofOf({ header: { jwk: { kty: "oct", k: "c2VjcmV0" } } }), notPublic],
    [
      "has half a key",
      proofOf({ header: { jwk: { kty: "EC", crv: "P-256", x: publicJwk.x } } }),
      notPublic
    ],
    ["has no id", proofOf({ claims: { jti: undefined } }), "jti is missing"],
    ["has an empty id", proofOf({ claims: { jti: "" } }), "jti is missing"],
    ["has a number for an id", proofOf({ claims: { jti: 1 } }), "jti is missing"],
    ["has a long id", proofOf({ claims: { jti: "a".repeat(257) } }), "jti is missing"],
    [
      "is for another method",
      proofOf({ claims: { htm: "GET" } }),
      "htm is not the method of the request"
    ],
    [
      "spells the method in small letters",
      proofOf({ claims: { htm: "post" } }),
      "htm is not the method of the request"
    ],
    [
      "is for another path",
      proofOf({ claims: { htu: "https://pds.example.com/oauth/par" } }),
      badUrl
    ],
    [
      "is for another host",
      proofOf({ claims: { htu: "https://other.example.com/oauth/token" } }),
      badUrl
    ],
    [
      "is for another scheme",
      proofOf({ claims: { htu: "http://pds.example.com/oauth/token" } }),
      badUrl
    ],
    [
      "is for another port",
      proofOf({ claims: { htu: "https://pds.example.com:8443/oauth/token" } }),
      badUrl
    ],
    [
      "names a user in the URL",
      proofOf({ claims: { htu: "https://me:you@pds.example.com/oauth/token" } }),
      badUrl
    ],
    ["names a path alone", proofOf({ claims: { htu: "/oauth/token" } }), badUrl],
    [
      "hides the URL in a query",
      proofOf({ claims: { htu: `https://pds.example.com/?/oauth/token` } }),
      badUrl
    ],
    ["names no URL", proofOf({ claims: { htu: undefined } }), badUrl],
    ["has no time", proofOf({ claims: { iat: undefined } }), "iat is missing"],
    ["has a text for a time", unsigned(header, { ...claims, iat: "now" }), "iat is missing"],
    [
      "is for a token, where there is none",
      proofOf({ claims: { ath: tokenHash } }),
      "ath is given, but no access token"
    ],
    ["is signed by another key", sign(other, header, claims), "the signature does not verify"],
    [
      "has the key of another type",
      proofOf({ header: { jwk: { ...publicJwk, crv: "P-384" } } }),
      "the signature does not verify"
    ],
    [
      "has the key of something else than signing",
      proofOf({ header: { jwk: { ...publicJwk, use: "enc" } } }),
      "the signature does not verify"
    ],
    ["has no signature", `${signed}.`, "the signature does not verify"],
    [
      "has other claims than were signed",
      `${unsigned(header, { ...claims, jti: "two" })}${signature}`,
      "the signature does not verify"
    ]
  ]

  it.each(cases)("a proof that %s is rejected for that reason", async (_, proof, reason) => {
    assert.deepStrictEqual(await faultOf(await proof), { error: "invalid_dpop_proof", reason })
  })

  it("a proof without a recent nonce gets use_dpop_nonce, but only if the rest is valid", async () => {
    for (const nonce of [undefined, "stale", 1]) {
      const fault = await faultOf(await proofOf({ claims: { nonce } }))
      assert.strictEqual(fault?.error, "use_dpop_nonce", String(nonce))
    }
    const wrong = await sign(other, header, { ...claims, nonce: "stale" })
    assert.strictEqual((await faultOf(wrong))?.error, "invalid_dpop_proof")
  })

  it("a proof with an access token must be for that token", async () => {
    const bound = await proofOf({ claims: { ath: tokenHash } })
    assert.isUndefined(await faultOf(bound, { accessToken: token }))
    const reason = "ath is not the hash of the access token"
    for (const [proof, accessToken] of [
      [good, token],
      [bound, "another.access.token"]
    ] as const) {
      assert.strictEqual((await faultOf(proof, { accessToken }))?.reason, reason)
    }
  })
})

describe("public keys", () => {
  it("isPublicJwk accepts only a key that can verify, without a private member", () => {
    const { publicJwk } = key
    assert.isTrue(isPublicJwk(publicJwk))
    assert.isTrue(isPublicJwk({ ...publicJwk, kid: "one", use: "sig" }))
    for (const name of ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]) {
      assert.isFalse(isPublicJwk({ ...publicJwk, [name]: "AQAB" }), name)
    }
    for (const wrong of [
      undefined,
      null,
      "key",
      [],
      {},
      { ...publicJwk, kty: "oct" },
      { ...publicJwk, kty: "constructor" },
      { ...publicJwk, kty: 1 },
      { ...publicJwk, x: "" },
      { ...publicJwk, y: 1 },
      { ...publicJwk, kid: 1 },
      { kty: "RSA", n: "AQAB" },
      { kty: "OKP", crv: "Ed25519" }
    ]) {
      assert.isFalse(isPublicJwk(wrong), JSON.stringify(wrong))
    }
  })
})

describe("the examples of RFC 9449", () => {
  const rfcHeader =
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
  const rfcProof = `${rfcHeader}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA`
  const rfcDemands = {
    htm: "GET",
    htu: "https://resource.example.org/protectedresource",
    now: 1_562_262_618_000,
    accessToken: "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
  }

  it("the proofs are valid except for the nonce, which section 7.1 lacks", async () => {
    assert.strictEqual((await faultOf(rfcProof, rfcDemands))?.error, "use_dpop_nonce")
    assert.strictEqual(
      (await faultOf(rfcProof, { ...rfcDemands, accessToken: "another" }))?.reason,
      "ath is not the hash of the access token"
    )
  })

  it("the key of section 6.1 has its thumbprint", async () => {
    const { jwk } = JSON.parse(Buffer.from(rfcHeader, "base64url").toString())
    assert.isTrue(isPublicJwk(jwk))
    assert.strictEqual(await thumbprint(jwk), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
  })
})

const judged = (name: string, body: Effect.Effect<void, unknown, DpopProofs>) =>
  it.effect(name, () =>
    TestClock.setTime(demands.now).pipe(
      Effect.andThen(body),
      Effect.provide(Layer.provide(DpopProofsMaster.layer, configLayer))
    )
  )

describe("the server's check of proofs", () => {
  const htu = "http://localhost:8787/xrpc/a.b.c"
  const make = (nonce: string) =>
    Effect.promise(() => proofOf({ claims: { htm: "GET", htu, nonce, ath: tokenHash } }))

  const judge = (proofs: DpopProofs["Service"], shown: ProvenRequest) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => Soon.toEffect(proofs.check(shown, now)))

  const request = { method: "GET", url: "/xrpc/a.b.c?d=e", accessToken: token }

  judged(
    "check accepts a proof with its nonce for its own URL, whatever host the request named",
    Effect.gen(function* () {
      const proofs = yield* DpopProofs
      const now = yield* Clock.currentTimeMillis
      const proof = yield* make(proofs.nonce(now))
      for (const address of [request.url, "http://10.0.0.1/xrpc/a.b.c", `${htu}#?`]) {
        const { jti } = yield* judge(proofs, { ...request, proof, url: address })
        assert.strictEqual(jti, "one")
      }
      const elsewhere = yield* Effect.flip(judge(proofs, { ...request, proof, url: "/xrpc/a.b.d" }))
      assert.deepInclude(elsewhere, {
        _tag: "BadProof",
        error: "invalid_dpop_proof",
        reason: "htu is not the URL of the request"
      })
    })
  )

  judged(
    "check requires a new nonce after at most three minutes",
    Effect.gen(function* () {
      const proofs = yield* DpopProofs
      const proof = yield* make(proofs.nonce(yield* Clock.currentTimeMillis))
      yield* TestClock.adjust("1 minute")
      yield* judge(proofs, { ...request, proof })
      yield* TestClock.adjust("2 minutes")
      const stale = yield* Effect.flip(judge(proofs, { ...request, proof }))
      assert.strictEqual(stale.error, "use_dpop_nonce")
      const retried = yield* make(proofs.nonce(yield* Clock.currentTimeMillis))
      yield* judge(proofs, { ...request, proof: retried })
    })
  )
})
