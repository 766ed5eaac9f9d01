import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { CallFailed } from "../../src/cli/failure.ts"
import { patiently, retryAfterOf } from "../../src/cli/patience.ts"

const failed = (retryAfter: number) =>
  new CallFailed({
    server: "https://pds.example.com",
    nsid: "com.example.method",
    status: 429,
    error: "RateLimitExceeded",
    message: "",
    retryAfter
  })

describe("a server's request to wait", () => {
  it("a retry waits for Retry-After or RateLimit-Reset, and ignores malformed values", () => {
    const wish = (headers: Readonly<Record<string, string>>) =>
      retryAfterOf({ status: 429, headers }, 1_000_000).retryAfter
    assert.strictEqual(wish({ "retry-after": "7" }), 7000)
    assert.strictEqual(wish({ "retry-after": new Date(1_060_000).toUTCString() }), 60_000)
    assert.strictEqual(wish({ "ratelimit-reset": "1002" }), 2500)
    for (const odd of ["9".repeat(400), "1e400", "Infinity", "soon", ""]) {
      assert.isUndefined(wish({ "retry-after": odd }), odd)
    }
    for (const odd of ["9".repeat(400), "1e400", "Infinity", "soon"]) {
      assert.isUndefined(wish({ "ratelimit-reset": odd }), odd)
    }
  })

  it("retries back off exponentially if the server names no pause", () =>
    Effect.gen(function* () {
      let calls = 0
      const call = Effect.suspend(() => {
        calls++
        return Effect.fail(failed(0))
      })
      const calling = yield* Effect.forkChild(Effect.flip(patiently(call)))
      yield* TestClock.adjust(0)
      assert.strictEqual(calls, 1)
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(calls, 2)
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(calls, 2)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(calling)).status, 429)
      assert.strictEqual(calls, 6)
    }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise))
})
