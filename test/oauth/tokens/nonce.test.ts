import { assert, describe, it } from "@effect/vitest"
import { dpopNonces, isNonceOf, newNonceMark } from "../../../src/core/oauth/nonce.ts"

const minute = 60_000
const start = 30_000_000 * minute
const nonces = dpopNonces(new Uint8Array(32).fill(1))

describe("a DPoP nonce", () => {
  it("is the same for a minute, and the same wherever the key is", () => {
    const nonce = nonces.current(start)
    assert.match(nonce, /^[\w-]{43}$/)
    assert.strictEqual(nonces.current(start + minute - 1), nonce)
    assert.notStrictEqual(nonces.current(start + minute), nonce)
    assert.strictEqual(dpopNonces(new Uint8Array(32).fill(1)).current(start), nonce)
  })

  it("is taken in its own minute and in those beside it, and in no other", () => {
    const nonce = nonces.current(start)
    for (const [at, taken] of [
      [-minute - 1, false],
      [-minute, true],
      [0, true],
      [2 * minute - 1, true],
      [2 * minute, false]
    ] as const) {
      assert.strictEqual(nonces.isRecent(nonce, start + at), taken, String(at))
    }
  })

  it("is taken with the mark of an object's life, which that life knows again", () => {
    const [mark, other] = [newNonceMark(), newNonceMark()]
    const nonce = nonces.current(start) + mark
    assert.isTrue(nonces.isRecent(nonce, start))
    assert.isFalse(nonces.isRecent(nonce, start + 2 * minute))
    assert.isTrue(isNonceOf(nonce, mark))
    assert.isFalse(isNonceOf(nonce, other))
    for (const text of [mark, `${nonce}a`, nonce.slice(0, -1), nonce + mark]) {
      assert.isFalse(nonces.isRecent(text, start), text)
    }
  })

  it("of another key, of part of its text, or of none is not taken", () => {
    const nonce = nonces.current(start)
    const foreign = dpopNonces(new Uint8Array(32).fill(2)).current(start)
    for (const text of [foreign, nonce.slice(1), `${nonce}a`, "", "30000000"]) {
      assert.isFalse(nonces.isRecent(text, start), text)
    }
  })
})
