import { assert, describe, it } from "@effect/vitest"
import { createSecretKey } from "node:crypto"
import { toBase64Url } from "../../../src/core/bytes/base64url.ts"
import { firstRefreshSecret, isGenuine } from "../../../src/core/oauth/refreshSecret.ts"
import { makeRefreshToken, readRefreshToken } from "../../../src/core/oauth/refreshToken.ts"
import { alphabets, variedBits } from "../../support/randomBits.ts"

const secret = new Uint8Array(32).fill(7)
const parts = { did: "did:plc:aliceaaaaaaaaaaaaaaaaaaa", session: "ses-0123_ab" }
const token = makeRefreshToken(parts, secret)
const [, did, session, random] = token.split(".")

describe("OAuth refresh tokens", () => {
  it("readRefreshToken returns the account and the session", () => {
    assert.deepStrictEqual(readRefreshToken(token), parts)
    const longest = { did: `did:web:${"a".repeat(2040)}`, session: "s" }
    assert.deepStrictEqual(readRefreshToken(makeRefreshToken(longest, secret)), longest)
  })

  it("a refresh token needs no escaping in a form", () => {
    assert.match(token, /^ref\.[\w-]+\.[\w-]+\.[\w-]{43}$/)
  })

  it.each([
    ["no text", ""],
    ["another kind of token", token.replace("ref.", "cod.")],
    ["a token without its secret", `ref.${did}.${session}`],
    ["a token with a shorter secret", token.slice(0, -1)],
    ["a token with a longer secret", `${token}a`],
    ["a token with a part more", `${token}.a`],
    ["a token without a session", `ref.${did}..${random}`],
    ["a token of what is no DID", `ref.${btoa("alice.test")}.${session}.${random}`],
    ["a token whose DID is malformed base64url", `ref.${did}a.${session}.${random}`],
    ["a token without end", `${token.slice(0, -44)}${"a".repeat(4096)}.${random}`],
    ["a token and a line's end", `${token}\n`]
  ])("readRefreshToken finds nothing in %s", (_, text) => {
    assert.isUndefined(readRefreshToken(text))
  })
})

describe("the secret of a first refresh token", () => {
  it("a secret has 128 random bits, and a tag that only the server's key creates", () => {
    const key = createSecretKey(new Uint8Array(32).fill(1))
    const secrets = Array.from({ length: 64 }, () => firstRefreshSecret(key, parts.session))
    const halves = secrets.map((bytes) => toBase64Url(bytes.subarray(0, 16)))
    assert.strictEqual(variedBits(halves, alphabets.base64url), 128)
    const written = makeRefreshToken(parts, secrets[0]!)
    assert.isTrue(isGenuine(key, parts.session, written))
    assert.isFalse(isGenuine(key, "another-session", written))
    const other = createSecretKey(new Uint8Array(32).fill(2))
    assert.isFalse(isGenuine(other, parts.session, written))
  })
})
