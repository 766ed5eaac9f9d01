import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as SequencerObject from "../../src/layers/stream/SequencerObject.ts"
import { Sequencer, type SequencerUnavailable } from "../../src/services/stream/Sequencer.ts"

/** A stub whose `append` returns these results in order. */
const appendTo = (way: "append" | "appendNow", answers: ReadonlyArray<number | Error>) => {
  let calls = 0
  let stubs = 0
  const stub = () => {
    stubs += 1
    // SAFETY: these tests call only `append`.
    return {
      append: async () => {
        const answer = answers[calls++]
        if (answer instanceof Error) throw answer
        return answer
      }
    } as unknown as SequencerObject.SequencerStub
  }
  const attempt = Effect.flatMap(Sequencer, ({ append, appendNow }) =>
    way === "append"
      ? append("did:example:a", [])
      : Effect.tryPromise({
          try: () => appendNow!("did:example:a", []),
          // SAFETY: it rejects with the error of `append`.
          catch: (cause) => cause as SequencerUnavailable
        })
  )
  return {
    run: Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        Effect.exit(Effect.provide(attempt, SequencerObject.layer(stub)))
      )
      for (let step = 0; step < 5; step++) {
        yield* TestClock.adjust("1 second")
        yield* Effect.yieldNow
      }
      return yield* Fiber.join(fiber)
    }),
    calls: () => calls,
    stubs: () => stubs
  }
}

describe.each(["append", "appendNow"] as const)("the Sequencer object's client, %s", (way) => {
  const append = (answers: ReadonlyArray<number | Error>) => appendTo(way, answers)

  it.effect("the client retries a passing failure, each time with a new stub", () => {
    const { run, stubs } = append([new Error("moved"), new Error("moved"), 7])
    return Effect.gen(function* () {
      const exit = yield* run
      assert.deepStrictEqual(exit._tag === "Success" && exit.value, 7)
      assert.strictEqual(stubs(), 3)
    })
  })

  it.effect("the client gives up after three attempts and names the operation", () => {
    const { run, calls } = append([new Error("a"), new Error("b"), new Error("c"), 7])
    return Effect.gen(function* () {
      const failure = yield* Effect.flip(Effect.flatten(run))
      assert.strictEqual(failure._tag, "SequencerUnavailable")
      assert.strictEqual(failure.operation, "append")
      assert.strictEqual(calls(), 3)
    })
  })

  it.effect("the client doesn't retry an overloaded object", () => {
    const { run, calls } = append([Object.assign(new Error("busy"), { overloaded: true }), 7])
    return Effect.gen(function* () {
      assert.strictEqual((yield* run)._tag, "Failure")
      assert.strictEqual(calls(), 1)
    })
  })
})
