import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { scryptSync } from "node:crypto"
import { currentCost, make } from "../../src/services/sessions/Passwords.ts"

const quick = make({ logN: 4, r: 8, p: 1 })

describe("Passwords", () => {
  it.effect("verify accepts the hashed password and no other", () =>
    Effect.gen(function* () {
      const stored = yield* quick.hash("correct horse")
      assert.isTrue(yield* quick.verify("correct horse", stored))
      assert.isFalse(yield* quick.verify("correct hors", stored))
      assert.isFalse(yield* quick.verify("", stored))
    })
  )

  it.effect("hash uses a new salt each time and contains its parameters and salt", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* quick.hash("same"), yield* quick.hash("same")]
      assert.notStrictEqual(one, two)
      assert.match(one, /^scrypt\$ln=4,r=8,p=1\$[\w-]{22}\$[\w-]{86}$/)
    })
  )

  it.effect("hash uses scrypt with N = 16384, r = 8, p = 1 and 64 bytes", () =>
    Effect.gen(function* () {
      const [, cost, salt = "", hash] = (yield* make(currentCost).hash("pässword")).split("$")
      assert.strictEqual(cost, "ln=14,r=8,p=1")
      const expected = scryptSync("pässword", Buffer.from(salt, "base64url"), 64, { N: 16_384 })
      assert.strictEqual(hash, expected.toString("base64url"))
    })
  )

  it.effect("verify accepts a password in another Unicode form", () =>
    Effect.gen(function* () {
      const stored = yield* quick.hash("p\u00e4ss")
      assert.isTrue(yield* quick.verify("pa\u0308ss", stored))
    })
  )

  it.effect("verify rejects a missing or unreadable hash", () =>
    Effect.gen(function* () {
      const unreadable = ["", "plain", "scrypt$ln=4,r=8,p=1$$", "scrypt$ln=4,r=8,p=1$AAAA$AAAA"]
      for (const stored of [undefined, ...unreadable]) {
        assert.isFalse(yield* quick.verify("", stored))
        assert.isFalse(yield* quick.verify("password", stored))
      }
    })
  )

  it.effect("verify accepts a hash with other parameters, and isOutdated reports it", () =>
    Effect.gen(function* () {
      const stored = yield* make({ logN: 3, r: 4, p: 2 }).hash("old")
      assert.isTrue(yield* quick.verify("old", stored))
      assert.isTrue(quick.isOutdated(stored))
      assert.isFalse(quick.isOutdated(yield* quick.hash("new")))
    })
  )
})
