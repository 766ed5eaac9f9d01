import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { makeWorld } from "./world.ts"

const dependencies = [
  ["d1", "directory"],
  ["r2", "blobs"],
  ["sequencer", "log"]
] as const

describe("/ready and /health", () => {
  it.effect("/ready and /health return 200 while everything responds", () =>
    Effect.gen(function* () {
      const { ask } = yield* makeWorld
      for (const path of ["/ready", "/health"]) {
        const { status, body } = yield* ask(path)
        assert.deepStrictEqual([status, body["ready"]], [200, true])
        assert.deepStrictEqual(body["checks"], { d1: "ok", r2: "ok", sequencer: "ok" })
      }
      assert.strictEqual((yield* ask("/xrpc/_health")).status, 200)
    }).pipe(Effect.scoped)
  )

  for (const [name, dependency] of dependencies) {
    for (const fault of ["before", "hangs"] as const) {
      it.effect(
        `/ready and /health return 503 and name ${name} when it ${fault === "before" ? "fails" : "hangs"}`,
        () =>
          Effect.gen(function* () {
            const { ask, faults, pass } = yield* makeWorld
            faults[dependency] = fault
            for (const path of ["/ready", "/health"]) {
              const asked = yield* Effect.forkChild(ask(path))
              yield* pass(6)
              const { status, body } = yield* Fiber.join(asked)
              const ok = { d1: "ok", r2: "ok", sequencer: "ok" }
              assert.deepStrictEqual(body["checks"], { ...ok, [name]: "error" })
              assert.deepStrictEqual([status, body["ready"]], [503, false])
            }
            faults[dependency] = undefined
            yield* pass(6)
            assert.strictEqual((yield* ask("/ready")).status, 200)
          }).pipe(Effect.scoped)
      )
    }
  }

  it.effect("/xrpc/_health returns 503 during an outage of the directory", () =>
    Effect.gen(function* () {
      const { ask, faults, pass } = yield* makeWorld
      faults.directory = "before"
      assert.strictEqual((yield* ask("/xrpc/_health")).status, 503)
      faults.directory = undefined
      yield* pass(6)
      assert.strictEqual((yield* ask("/xrpc/_health")).status, 200)
    }).pipe(Effect.scoped)
  )
})
