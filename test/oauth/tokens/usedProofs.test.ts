import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { tables } from "../../../src/layers/oauth/oauthSessionRows.ts"
import * as SqlStorageNode from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { make } from "../../../src/layers/oauth/usedProofs.ts"
import { SqlStorage } from "../../../src/services/host/SqlStorage.ts"

const second = 1000
const start = 1_767_225_600 * second

const proof = { jkt: "key", jti: "one", nonce: "N".repeat(43), issued: start, expires: 0 }

const proofAt = (seconds: number, jti = "one", nonce = proof.nonce) => {
  const issued = start + seconds * second
  return { ...proof, jti, nonce, issued, expires: issued + 300 * second }
}

/** Runs a body over storage; each call of `live` starts another life of the object. */
const check = (title: string, body: (live: () => ReturnType<typeof make>) => void) =>
  it.effect(title, () =>
    Effect.gen(function* () {
      const sql = yield* SqlStorage
      for (const table of tables) sql.exec(table)
      body(() => make(sql))
    }).pipe(Effect.provide(SqlStorageNode.layer(":memory:")))
  )

describe("used DPoP proofs", () => {
  check("a used proof is rejected by the object that saw it, and by its next life", (live) => {
    const before = live()
    assert.strictEqual(before("session", proofAt(0), start).kind, "fresh")
    assert.strictEqual(before("session", proofAt(0), start).kind, "used")
    assert.strictEqual(live()("session", proofAt(0), start).kind, "unsure")
  })

  check("a used proof is remembered among ten thousand", (live) => {
    const use = live()
    use("session", proofAt(0), start)
    for (let n = 0; n < 9999; n++) {
      assert.strictEqual(use("session", proofAt(0, `other ${n}`), start).kind, "fresh")
    }
    assert.strictEqual(use("session", proofAt(0), start).kind, "used")
  })

  check("an app that calls after the object slept is accepted", (live) => {
    live()("session", proofAt(0), start)
    const after = live()
    assert.strictEqual(after("session", proofAt(10, "two"), start + 10 * second).kind, "fresh")
    assert.strictEqual(after("session", proofAt(11, "three"), start + 11 * second).kind, "fresh")
  })

  check("a proof with this life's nonce is accepted at once, and once", (live) => {
    const before = live()
    before("session", proofAt(0), start)
    const after = live()
    const asked = after("session", proofAt(1, "two"), start + second)
    if (asked.kind !== "unsure") return assert.fail("a nonce was to be asked for")
    const again = proofAt(1, "three", proof.nonce + asked.mark)
    assert.strictEqual(before("session", again, start + second).kind, "fresh")
    assert.strictEqual(after("session", again, start + second).kind, "fresh")
    assert.strictEqual(after("session", again, start + second).kind, "used")
    assert.strictEqual(live()("session", again, start + second).kind, "unsure")
  })

  check("used proofs count by session, because another client's clock may be ahead", (live) => {
    live()("ahead", proofAt(120), start)
    const after = live()
    assert.strictEqual(after("right", proofAt(20), start + 20 * second).kind, "fresh")
    assert.strictEqual(after("ahead", proofAt(121), start + second).kind, "unsure")
  })
})
