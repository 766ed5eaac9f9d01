import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OutgoingFetch from "../../src/layers/host/OutgoingFetch.ts"
import { smallBody } from "../../src/layers/host/outgoingBody.ts"
import { Outgoing, type OutgoingError } from "../../src/services/host/Outgoing.ts"

const url = "https://example.com/a"
const usual = { maxBytes: 1_000_000, bodyTimeout: 30_000, timeout: "10 seconds" } as const

/** Opens a response with this length and body, with and without a fiber. */
const bothWays = (
  length: number,
  body: () => BodyInit,
  limits: Partial<{ readonly timeout: "1 millis" }> = {}
) =>
  Effect.gen(function* () {
    const outgoing = yield* Outgoing
    const request = { ...usual, ...limits }
    return [
      yield* Effect.result(outgoing.open(url, request)),
      yield* Effect.result(
        Effect.tryPromise({
          try: () => outgoing.openNow(url, request),
          // SAFETY: openNow rejects with nothing else.
          catch: (error) => error as OutgoingError
        })
      )
    ]
  }).pipe(
    Effect.provide(
      OutgoingFetch.layer({
        fetch: () =>
          Promise.resolve(new Response(body(), { headers: { "content-length": String(length) } }))
      })
    ),
    Effect.runPromise
  )

/** Three bytes, then an error. */
const broken = () =>
  new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(3)),
    pull: (controller) => controller.error(new Error("broken"))
  })

/** Three bytes, and nothing more. */
const stopped = () =>
  new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(3)) })

describe("outgoing requests of a Worker", () => {
  it("a small body arrives with the headers", async () => {
    for (const opened of await bothWays(5, () => "hello")) {
      assert(opened._tag === "Success")
      const { status, headers, body } = opened.success
      assert.strictEqual(status, 200)
      assert.strictEqual(headers.get("content-length"), "5")
      assert.strictEqual(await new Response(body).text(), "hello")
    }
  })

  it("a small body that breaks off, or has another length, is an error", async () => {
    for (const body of [broken, () => "ab", () => "abcdef"]) {
      for (const opened of await bothWays(5, body)) {
        assert(opened._tag === "Failure")
        assert.propertyVal(opened.failure, "operation", "read")
      }
    }
  })

  it("a small body that never ends takes no longer than the headers may", async () => {
    for (const opened of await bothWays(5, stopped, { timeout: "1 millis" })) {
      assert(opened._tag === "Failure")
      assert.propertyVal(opened.failure, "operation", "timeout")
    }
  })

  it("a larger body is passed on before it has ended", async () => {
    for (const opened of await bothWays(smallBody + 1, stopped)) {
      assert(opened._tag === "Success")
      const reader = opened.success.body?.getReader()
      assert.strictEqual((await reader?.read())?.value?.byteLength, 3)
      await reader?.cancel()
    }
  })
})
