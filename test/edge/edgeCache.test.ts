import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { make } from "../../src/layers/edge/EdgeCacheMemory.ts"
import { edgeCacheContract } from "./edgeCache.contract.ts"

edgeCacheContract("a map", make())

describe("the cache in this process", () => {
  it.effect("the cache drops expired entries, and the oldest when it is full", () =>
    Effect.gen(function* () {
      const cache = make()
      const headers = { "cache-control": "max-age=60" }
      yield* cache.put("brief", new Response("a", { headers }))
      yield* TestClock.adjust("59 seconds")
      assert.isDefined(yield* cache.match("brief"))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(yield* cache.match("brief"))
      const bytes = new Uint8Array(10 * 1024 * 1024)
      for (let count = 0; count < 8; count += 1) {
        yield* cache.put(`large ${count}`, new Response(bytes, { headers }))
      }
      assert.isUndefined(yield* cache.match("large 0"))
      assert.isDefined(yield* cache.match("large 7"))
    })
  )
})
