import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { ask, type Upward } from "../../src/http/proxy/exchange.ts"
import * as ConfigEnv from "../../src/layers/host/ConfigEnv.ts"
import * as OutgoingFetch from "../../src/layers/host/OutgoingFetch.ts"
import { Outgoing, type OutgoingStreamRequest } from "../../src/services/host/Outgoing.ts"

const config = ConfigEnv.layer({
  MASTER_KEY: Buffer.alloc(32, 7).toString("base64url"),
  PLC_ROTATION_KEY: "42".repeat(32),
  ADMIN_PASSWORD: "the administrator's own words",
  BLOB_LIMIT: "300000000",
  LOG_LEVEL: "none"
})

const get: Upward = {
  method: "GET",
  url: "https://api.example.com/xrpc/com.example.slow",
  headers: {},
  keepEncoding: false
}

const bodyOf = (length: number | undefined): NonNullable<Upward["body"]> => ({
  body: new ReadableStream(),
  length,
  isOver: () => false
})

/** A service that accepts every connection and never responds. */
const silent = Layer.merge(
  config,
  OutgoingFetch.layer({ fetch: () => new Promise<Response>(() => {}) })
)

describe("requests to a service", () => {
  const isOver = (asked: Upward, millis: number) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.flip(ask(asked)))
      yield* TestClock.adjust(millis - 1)
      const before = fiber.pollUnsafe()
      yield* TestClock.adjust(1)
      const error = yield* Fiber.join(fiber)
      assert.isUndefined(before)
      assert.deepStrictEqual(
        error._tag === "UpstreamFailed" ? error.reason : error._tag,
        "too slow"
      )
    }).pipe(Effect.provide(silent))

  it.effect("a request times out after ten seconds, without a retry", () => isOver(get, 10_000))

  it.effect("a request waits for its body to be sent, at 64 KiB a second", () =>
    isOver({ ...get, method: "POST", body: bodyOf(100 * 65_536) }, 110_000)
  )

  it.effect("a request waits 40 seconds for a body of unknown length", () =>
    isOver({ ...get, method: "POST", body: bodyOf(undefined) }, 40_000)
  )

  it.effect("a response is limited depending on its type", () =>
    Effect.gen(function* () {
      let asked: OutgoingStreamRequest | undefined
      const outgoing = Layer.succeed(
        Outgoing,
        Outgoing.of({
          request: () => Effect.die("streams only"),
          open: (_, request) => {
            asked = request
            return Effect.succeed({ status: 200, headers: new Headers(), body: null })
          },
          openNow: () => Promise.reject(new Error("in a fiber only"))
        })
      )
      yield* ask(get).pipe(Effect.provide(Layer.merge(config, outgoing)))
      const limits = (type: string) => {
        const headers = new Headers({ "content-type": type })
        const of = (limit: OutgoingStreamRequest["maxBytes"] | undefined) =>
          typeof limit === "function" ? limit(headers) : limit
        return [of(asked?.maxBytes), of(asked?.bodyTimeout)]
      }
      const json = [10 * 1024 * 1024, 30_000]
      assert.deepStrictEqual(limits("application/json; charset=utf-8"), json)
      assert.deepStrictEqual(limits("application/problem+json"), json)
      assert.deepStrictEqual(limits("application/vnd.ipld.car"), [300_000_000, 600_000])
      assert.deepStrictEqual(limits("text/json-like"), [300_000_000, 600_000])
    })
  )
})
