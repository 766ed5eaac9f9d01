import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobStore } from "./BlobStore.ts"
import { Directory } from "./Directory.ts"
import { Sequencer } from "./Sequencer.ts"

/** Whether a dependency answered; its failure goes to the log alone. */
export type Outcome = "ok" | "error"

/** Whether the things that the server depends on answer: asked every five seconds at most. */
export class Readiness extends Context.Service<
  Readiness,
  {
    readonly d1: Effect.Effect<Outcome>
    readonly r2: Effect.Effect<Outcome>
    readonly sequencer: Effect.Effect<Outcome>
  }
>()("nacre/services/Readiness") {}

/** How long a dependency may take before it counts as down. */
const patience = "5 seconds"

const rememberedMillis = 5000

const outcome = <E>(check: Effect.Effect<unknown, E>): Effect.Effect<Outcome> =>
  check.pipe(
    Effect.timeout(patience),
    Effect.as("ok" as const),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logWarning("a dependency is not ready", cause), "error" as const)
    )
  )

/** Remembers what was answered, never the asking: in a Worker no request may wait for another one's I/O. */
const remembered = (check: Effect.Effect<Outcome>): Effect.Effect<Outcome> => {
  let last: { readonly at: number; readonly outcome: Outcome } | undefined
  return Effect.gen(function* () {
    const since = (yield* Clock.currentTimeMillis) - (last?.at ?? 0)
    if (last !== undefined && since >= 0 && since < rememberedMillis) return last.outcome
    const answered = yield* check
    last = { at: yield* Clock.currentTimeMillis, outcome: answered }
    return answered
  })
}

export const layer: Layer.Layer<Readiness, never, BlobStore | Directory | Sequencer> = Layer.effect(
  Readiness,
  Effect.gen(function* () {
    const directory = yield* Directory
    const blobs = yield* BlobStore
    const sequencer = yield* Sequencer
    return {
      d1: remembered(outcome(directory.ping)),
      r2: remembered(outcome(blobs.head("ready"))),
      sequencer: remembered(outcome(sequencer.status))
    }
  })
)
