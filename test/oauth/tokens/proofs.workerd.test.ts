import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { checkProof } from "../../../src/core/oauth/dpop.ts"
import { signingAlgs } from "../../../src/core/oauth/jwk.ts"
import { makeKey, sign } from "./signing.ts"

const htu = "https://pds.example.com/oauth/token"
const seconds = 1_800_000_000

describe("the signature of a proof in workerd", () => {
  it.each(signingAlgs)("a proof may be signed with %s, which the metadata lists", async (alg) => {
    const [key, other] = await Promise.all([makeKey(alg), makeKey(alg)])
    const header = { typ: "dpop+jwt", alg, jwk: key.publicJwk }
    const claims = { jti: "one", htm: "POST", htu, iat: seconds, nonce: "fresh" }
    const demands = { htm: "POST", htu, now: seconds * 1000, isNonce: () => true }
    const check = async (by: typeof key) => checkProof(await sign(by, header, claims), demands)
    const first = await check(key)
    assert.isTrue(!Result.isResult(first) && Result.isSuccess(await first()))
    // An ES256 signature by a key that has signed before is verified at once.
    for (const [by, isRight] of [
      [key, true],
      [other, false]
    ] as const) {
      const checked = await check(by)
      assert.strictEqual(Result.isResult(checked), alg === "ES256")
      const result = Result.isResult(checked) ? checked : await checked()
      assert.strictEqual(Result.isSuccess(result), isRight)
    }
  })

  it("bytes that no signature can be are refused at once, by a key that has signed before", async () => {
    const key = await makeKey("ES256")
    const header = { typ: "dpop+jwt", alg: "ES256", jwk: key.publicJwk }
    const claims = { jti: "one", htm: "POST", htu, iat: seconds, nonce: "fresh" }
    const demands = { htm: "POST", htu, now: seconds * 1000, isNonce: () => true }
    const proof = await sign(key, header, claims)
    const first = checkProof(proof, demands)
    assert.isTrue(!Result.isResult(first) && Result.isSuccess(await first()))
    const signed = proof.slice(0, proof.lastIndexOf("."))
    const raw = (bytes: ReadonlyArray<number>) => Buffer.from(bytes).toString("base64url")
    const all = (byte: number) => raw(Array.from({ length: 64 }, () => byte))
    const short = proof.slice(proof.lastIndexOf(".") + 1, -6)
    for (const signature of ["", all(0), all(0x7f), all(0x80), all(0xff), short, raw([0x30, 0])]) {
      const checked = checkProof(`${signed}.${signature}`, demands)
      assert.isTrue(Result.isResult(checked) && Result.isFailure(checked), signature)
    }
  })
})
