import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { createSecretKey } from "node:crypto"
import { formatAppPassword, isAppPassword } from "../../src/core/sessions/appPassword.ts"
import {
  isSignedWith,
  parseJwt,
  remembering,
  rememberingVerifier,
  sameText,
  signJwt
} from "../../src/core/sessions/jwt.ts"
import { checkAccess } from "../../src/core/sessions/sessionToken.ts"

const key = createSecretKey(new Uint8Array(32).fill(7))
const other = createSecretKey(new Uint8Array(32).fill(8))
const part = (json: unknown) => Buffer.from(JSON.stringify(json)).toString("base64url")

describe("the server's JWTs", () => {
  it("remembering computes the result of a text once, except of a long one", () => {
    const computed: Array<number> = []
    const lengthOf = remembering((text) => {
      computed.push(text.length)
      return text.length
    })
    const long = "a".repeat(1025)
    for (const text of ["a", "a", "bb", long, long]) assert.strictEqual(lengthOf(text), text.length)
    assert.deepStrictEqual(computed, [1, 2, 1025, 1025])
    for (let at = 0; at < 256; at++) lengthOf(`text ${at}`)
    computed.length = 0
    assert.strictEqual(lengthOf("a"), 1)
    assert.deepStrictEqual(computed, [1])
  })

  it("signJwt computes HS256 of header and claims as RFC 7515 does", () => {
    // The example of RFC 7515, appendix A.1.
    const secret =
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    const token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    const jwt = parseJwt(token)
    assert.strictEqual(jwt?.claims["iss"], "joe")
    assert.isTrue(isSignedWith(createSecretKey(Buffer.from(secret, "base64url")), jwt!))
    assert.isFalse(isSignedWith(key, jwt!))
  })

  it("isSignedWith accepts only its key and HS256", () => {
    const token = signJwt(key, "at+jwt", { sub: "did:web:a.test" })
    assert.isTrue(isSignedWith(key, parseJwt(token)!))
    assert.isFalse(isSignedWith(other, parseJwt(token)!))
    const [, claims] = token.split(".")
    for (const header of [{ alg: "none" }, { alg: "HS512" }, {}]) {
      assert.isFalse(isSignedWith(key, parseJwt(`${part(header)}.${claims}.`)!))
    }
  })

  it("the remembering verifier rejects another signature or other claims of a known token", () => {
    const verify = rememberingVerifier(key)
    const token = signJwt(key, "at+jwt", { sub: "did:web:a.test" })
    const forged = signJwt(other, "at+jwt", { sub: "did:web:a.test" })
    const changed = signJwt(other, "at+jwt", { sub: "did:web:b.test" })
    for (let round = 0; round < 2; round++) {
      assert.isFalse(verify(parseJwt(forged)!))
      assert.isTrue(verify(parseJwt(token)!))
      assert.isFalse(verify(parseJwt(forged)!))
      assert.isFalse(verify(parseJwt(changed)!))
    }
    for (let n = 0; n < 600; n++) assert.isTrue(verify(parseJwt(signJwt(key, "at+jwt", { n }))!))
    assert.isTrue(verify(parseJwt(token)!))
    assert.isFalse(verify(parseJwt(forged)!))
  })

  it("parseJwt rejects malformed tokens", () => {
    const bad = [
      "",
      ".",
      "..",
      "a.b",
      "a.b.c",
      `${part({})}.${part([])}.x`,
      `${part(1)}.${part({})}.`
    ]
    for (const token of [
      ...bad,
      `${part({})}.${part({})}.a.b`,
      `${part({})}.${"A".repeat(9000)}.x`
    ]) {
      assert.isUndefined(parseJwt(token), token.slice(0, 40))
    }
  })

  it("checkAccess rejects tokens with lxm or cnf, even if this server signed them", () => {
    const demands = {
      isSigned: rememberingVerifier(key),
      service: "did:web:pds.test",
      did: "did:web:a.test",
      now: 10
    }
    const claims = {
      scope: "com.atproto.access",
      aud: demands.service,
      sub: demands.did,
      exp: 99,
      jti: "s"
    }
    const check = (more: object) =>
      checkAccess(parseJwt(signJwt(key, "at+jwt", { ...claims, ...more })), demands)
    assert.isTrue(Result.isSuccess(check({})))
    assert.isTrue(Result.isFailure(check({ lxm: "com.atproto.server.createAccount" })))
    assert.isTrue(Result.isFailure(check({ cnf: { jkt: "x" } })))
    assert.isTrue(Result.isFailure(check({ scope: "com.atproto.refresh" })))
    assert.isTrue(Result.isFailure(check({ scope: "com.atproto.signupQueued" })))
    assert.isTrue(Result.isFailure(check({ aud: "did:web:other.test" })))
  })
})

describe("sameText", () => {
  it("sameText is true only if every character is equal", () => {
    assert.isTrue(sameText("añb", "añb"))
    for (const text of ["", "añ", "añbc", "anb"]) assert.isFalse(sameText("añb", text))
  })
})

describe("the form of app passwords", () => {
  it("formatAppPassword writes ten bytes as base32 in groups of four", () => {
    assert.strictEqual(formatAppPassword(new Uint8Array(10)), "aaaa-aaaa-aaaa-aaaa")
    assert.strictEqual(formatAppPassword(new Uint8Array(10).fill(255)), "7777-7777-7777-7777")
    // RFC 4648: base32("foobarfooba") in lower case starts with this.
    assert.strictEqual(
      formatAppPassword(new TextEncoder().encode("foobarfoob")),
      "mzxw-6ytb-ojtg-633c"
    )
  })

  it("isAppPassword recognizes app passwords by their form", () => {
    assert.isTrue(isAppPassword("mzxw-6ytb-ojtg-633c"))
    for (const text of [
      "mzxw6ytbojtg633c",
      "mzxw-6ytb-ojtg-633C",
      "mzxw-6ytb-ojtg-6331",
      "a",
      ""
    ]) {
      assert.isFalse(isAppPassword(text))
    }
  })
})
