import { assert, describe, it } from "@effect/vitest"
import { dpopNonces, isNonceOf, newNonceMark } from "../../../src/core/oauth/nonce.ts"

const minute = 60_000
const start = 30_000_000 * minute
const nonces = dpopNonces(new Uint8Array(32).fill(1))

describe("DPoP nonces", () => {
  it("a nonce is the same for a minute, wherever the key is", () => {
    const nonce = nonces.current(start)
    assert.match(nonce, /^[\w-]{43}$/)
    assert.strictEqual(nonces.current(start + minute - 1), nonce)
    assert.notStrictEqual(nonces.current(start + minute), nonce)
    assert.strictEqual(dpopNonces(new Uint8Array(32).fill(1)).current(start), nonce)
  })

  it("a nonce is accepted in its own minute, the previous and the next one", () => {
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

  it("a nonce with the mark of an object's life is accepted, and that life recognizes it", () => {
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

  it("a nonce of another key, a part of one or an empty one is rejected", () => {
    const nonce = nonces.current(start)
    const foreign = dpopNonces(new Uint8Array(32).fill(2)).current(start)
    for (const text of [foreign, nonce.slice(1), `${nonce}a`, "", "30000000"]) {
      assert.isFalse(nonces.isRecent(text, start), text)
    }
  })
})
