import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { EdgeCache } from "../../src/services/edge/EdgeCache.ts"

let made = 0

/** What every edge cache guarantees. */
export const edgeCacheContract = (name: string, cache: EdgeCache["Service"]) => {
  const keyOf = () => `https://pds.example.com/.edge/did%3Aplc%3Aalice/${(made += 1)}/blob/bafk`
  const lasting = { "cache-control": "max-age=60", "content-type": "text/plain", "x-note": "a" }
  const match = (key: string) => Effect.runPromise(cache.match(key))
  const put = (key: string, body: BodyInit | null, init: ResponseInit) =>
    Effect.runPromise(cache.put(key, new Response(body, init)))

  describe(`EdgeCache over ${name}`, () => {
    it("match returns what was put, repeatedly, under its own key", async () => {
      const [key, other] = [keyOf(), keyOf()]
      await put(key, "remembered", { headers: lasting })
      for (let count = 0; count < 3; count += 1) {
        const found = await match(key)
        assert.strictEqual(found?.status, 200)
        assert.strictEqual(found?.headers.get("x-note"), "a")
        assert.strictEqual(await found?.text(), "remembered")
      }
      assert.isUndefined(await match(other))
    })

    it("put accepts a response without a body, and a large one", async () => {
      const [empty, large] = [keyOf(), keyOf()]
      await put(empty, null, { headers: lasting })
      assert.strictEqual((await match(empty))?.headers.get("x-note"), "a")
      const bytes = new Uint8Array(3_000_000).fill(7)
      await put(large, bytes, { headers: lasting })
      const found = await match(large)
      assert.deepStrictEqual(new Uint8Array((await found?.arrayBuffer()) ?? []), bytes)
    })

    it("put replaces an earlier response", async () => {
      const key = keyOf()
      await put(key, "one", { headers: lasting })
      await put(key, "two", { headers: lasting })
      assert.strictEqual(await (await match(key))?.text(), "two")
    })

    it("put ignores errors and responses without a lifetime", async () => {
      const [failed, part, brief] = [keyOf(), keyOf(), keyOf()]
      await put(failed, "no", { status: 503, headers: lasting })
      await put(part, "pa", { status: 206, headers: lasting })
      await put(brief, "now", { headers: { "cache-control": "max-age=0" } })
      for (const key of [part, brief]) assert.isUndefined(await match(key))
      assert.isUndefined((await match(failed))?.body ?? undefined)
    })
  })
}
