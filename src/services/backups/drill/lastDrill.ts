import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { WatchNotes } from "../../operators/WatchNotes.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const words = (most: number) => Schema.String.check(Schema.isMaxLength(most))

/** A drill's result, as the command that ran it reports it; at most ten problems are named. */
export const DrillReport = Schema.Struct({
  /** Every account came back as it was, some differ, or the drill broke off. */
  outcome: Schema.Literals(["good", "different", "failed"]),
  /** The backup that was restored; absent if the drill broke off. */
  run: Schema.optionalKey(words(32)),
  accounts: Count,
  records: Count,
  blobs: Count,
  faulty: Count,
  problems: Schema.Array(words(500)).check(Schema.isMaxLength(10))
})

/** A drill's result, as the command that ran it reports it. */
export type DrillReport = typeof DrillReport.Type

/** The drill that was reported last, and when, in ms. */
export interface LastDrill extends DrillReport {
  readonly at: number
}

/** The drill that was reported last. */
export const lastDrill = Effect.map(
  Effect.flatMap(WatchNotes, (notes) => notes.get("drill")),
  // SAFETY: `noteDrill` wrote it from a value of this type.
  (note) => note as LastDrill | undefined
)

/** Keeps a drill's result in place of the one before. */
export const noteDrill = Effect.fn("noteDrill")(function* (report: DrillReport) {
  const drill: LastDrill = { at: yield* Clock.currentTimeMillis, ...report }
  yield* (yield* WatchNotes).set("drill", drill)
  return drill
})
