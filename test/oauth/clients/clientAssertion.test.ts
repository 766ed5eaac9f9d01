import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import {
  type AssertionDemands,
  type AssertionFault,
  checkAssertion
} from "../../../src/core/oauth/clientAssertion.ts"
import { signingAlgs, thumbprint } from "../../../src/core/oauth/jwk.ts"
import { makeKey, sign, unsigned } from "../tokens/signing.ts"

const seconds = 1_800_000_000
const clientId = "https://app.example.com/client.json"
const issuer = "https://pds.example.com"

const [key, other] = await Promise.all([makeKey("ES256"), makeKey("ES256")])

const demands: AssertionDemands = {
  clientId,
  issuer,
  keys: [
    { ...other.publicJwk, kid: "two" },
    { ...key.publicJwk, kid: "one" }
  ],
  alg: "ES256",
  now: seconds * 1000,
  dpopJkt: "the-dpop-key"
}

const header = { alg: "ES256", kid: "one" }
const claims = { iss: clientId, sub: clientId, aud: issuer, jti: "a", iat: seconds }

/** A valid assertion with these changes. */
const assertionOf = (changed: { readonly header?: object; readonly claims?: object }) =>
  sign(key, { ...header, ...changed.header }, { ...claims, ...changed.claims })

const faultOf = async (
  assertion: string,
  over: Partial<AssertionDemands> = {}
): Promise<AssertionFault | undefined> => {
  const checked = await checkAssertion(assertion, { ...demands, ...over })
  return Result.isSuccess(checked) ? undefined : checked.failure
}

const good = await assertionOf({})

describe("client assertions", () => {
  it("a valid assertion returns the client's key, its id and its expiration", async () => {
    const jkt = await thumbprint(key.publicJwk)
    const value = { kid: "one", alg: "ES256", jkt, jti: "a", expires: (seconds + 75) * 1000 }
    assert.deepStrictEqual(await checkAssertion(good, demands), Result.succeed(value))
    const short = await assertionOf({ claims: { exp: seconds + 10 } })
    assert.deepStrictEqual(
      await checkAssertion(short, demands),
      Result.succeed({ ...value, expires: (seconds + 10) * 1000 })
    )
  })

  it("an assertion may name several audiences that include this server", async () => {
    const several = await assertionOf({ claims: { aud: ["https://other.example.com", issuer] } })
    assert.isUndefined(await faultOf(several))
    for (const aud of [`${issuer}/`, ["https://other.example.com", `${issuer}/`]]) {
      assert.isUndefined(await faultOf(await assertionOf({ claims: { aud } })))
    }
  })

  it("an assertion may use any algorithm in the metadata if the client declares none", async () => {
    const { alg: _, ...undeclared } = demands
    for (const alg of signingAlgs) {
      const own = await makeKey(alg)
      const keys = [{ ...own.publicJwk, kid: "one" }]
      const checked = await checkAssertion(await sign(own, { ...header, alg }, claims), {
        ...undeclared,
        keys
      })
      assert.isTrue(Result.isSuccess(checked), alg)
    }
  })

  it("an assertion may name the accompanying DPoP proof's key, and no other", async () => {
    const bound = await assertionOf({ claims: { cnf: { jkt: "the-dpop-key" } } })
    assert.isUndefined(await faultOf(bound))
    const reason = "cnf.jkt is not the key of the DPoP proof"
    assert.deepStrictEqual(await faultOf(bound, { dpopJkt: "another" }), { reason })
    const { dpopJkt: _, ...unproven } = demands
    assert.isTrue(Result.isFailure(await checkAssertion(bound, unproven)))
    for (const cnf of [{}, { jkt: 1 }, null, "the-dpop-key"]) {
      const fault = await faultOf(await assertionOf({ claims: { cnf } }))
      assert.deepStrictEqual(fault, { reason }, JSON.stringify(cnf))
    }
  })

  it("an unknown key is reported, so the caller may fetch the keys again", async () => {
    const unknown = await assertionOf({ header: { kid: "three" } })
    assert.deepStrictEqual(await faultOf(unknown), {
      reason: "kid is none of the client's keys",
      unknownKey: true
    })
    assert.isTrue((await faultOf(good, { keys: [] }))?.unknownKey)
  })

  it("an assertion is valid for about a minute, with some difference between clocks", async () => {
    for (const [what, changed, reason] of [
      ["75 seconds old", { iat: seconds - 75 }, undefined],
      ["76 seconds old", { iat: seconds - 76 }, "iat is too old"],
      ["15 seconds ahead", { iat: seconds + 15 }, undefined],
      ["16 seconds ahead", { iat: seconds + 16 }, "iat is in the future"],
      ["just not over", { exp: seconds + 1 }, undefined],
      ["just over", { exp: seconds }, "exp is over"],
      ["just begun", { nbf: seconds + 15 }, undefined],
      ["not yet begun", { nbf: seconds + 16 }, "nbf is to come"]
    ] as const) {
      const fault = await faultOf(await assertionOf({ claims: changed }))
      assert.strictEqual(fault?.reason, reason, what)
    }
  })

  const [signed, signature] = [good.slice(0, good.lastIndexOf(".")), good.split(".")[2]!]
  const rsaLike = unsigned({ ...header, alg: "RS256" }, claims, signature)

  const malformed = "not a JWT of bounded size"
  const forged = "the signature does not verify"

  /** A description, the assertion, and the expected reason; everything else is valid. */
  const cases: ReadonlyArray<
    readonly [what: string, assertion: string | Promise<string>, reason: string]
  > = [
    ["is empty", "", malformed],
    ["is no JWT", "assertion", malformed],
    ["is larger than 8 KiB", assertionOf({ claims: { pad: "a".repeat(8192) } }), malformed],
    ["is not signed", unsigned({ ...header, alg: "none" }, claims), "alg is not supported"],
    ["has an HMAC", unsigned({ ...header, alg: "HS256" }, claims, "a"), "alg is not supported"],
    ["has another algorithm than the client declares", rsaLike, "alg is not the declared one"],
    [
      "has critical headers",
      unsigned({ ...header, crit: ["b64"] }, claims),
      "crit is not supported"
    ],
    ["names no key", assertionOf({ header: { kid: undefined } }), "kid is missing"],
    ["is another's", assertionOf({ claims: { iss: "https://b.test" } }), "iss is not the client"],
    [
      "is about another",
      assertionOf({ claims: { sub: "https://b.test" } }),
      "sub is not the client"
    ],
    ["is about nobody", assertionOf({ claims: { sub: undefined } }), "sub is not the client"],
    [
      "is for another server",
      assertionOf({ claims: { aud: "https://b.test" } }),
      "aud is not this server"
    ],
    [
      "is for the token endpoint only",
      assertionOf({ claims: { aud: `${issuer}/oauth/token` } }),
      "aud is not this server"
    ],
    [
      "is for several others",
      assertionOf({ claims: { aud: ["https://b.test", `${issuer}//`, `${issuer}.b.test/`] } }),
      "aud is not this server"
    ],
    ["is for nobody", assertionOf({ claims: { aud: undefined } }), "aud is not this server"],
    ["has no id", assertionOf({ claims: { jti: undefined } }), "jti is missing"],
    ["has an empty id", assertionOf({ claims: { jti: "" } }), "jti is missing"],
    ["has a long id", assertionOf({ claims: { jti: "a".repeat(257) } }), "jti is missing"],
    ["has no time", assertionOf({ claims: { iat: undefined } }), "iat is missing"],
    ["has a text for a time", unsigned(header, { ...claims, iat: "now" }), "iat is missing"],
    ["has a text for its end", unsigned(header, { ...claims, exp: "later" }), "exp is over"],
    ["is signed by another key", sign(other, header, claims), forged],
    ["names another of the client's keys", assertionOf({ header: { kid: "two" } }), forged],
    ["has no signature", `${signed}.`, forged],
    [
      "has other claims than were signed",
      unsigned(header, { ...claims, jti: "b" }, signature),
      forged
    ]
  ]

  it.each(cases)(
    "an assertion that %s is rejected for that reason",
    async (_, assertion, reason) => {
      assert.deepStrictEqual(await faultOf(await assertion), { reason })
    }
  )

  it("a key that the client keeps for another use is rejected", async () => {
    for (const member of [{ use: "enc" }, { alg: "ES384" }, { key_ops: ["encrypt"] }]) {
      const keys = [{ ...key.publicJwk, ...member, kid: "one" }]
      assert.deepStrictEqual(await faultOf(good, { keys }), { reason: forged })
    }
  })
})
