import * as Effect from "effect/Effect"
import { complete, type Finding } from "../../../core/operators/alerts.ts"
import { type Outcome, Readiness } from "../../host/Readiness.ts"

/** Whether each dependency responds. */
export type Dependencies = Readonly<Record<string, Outcome>>

/** Asks each dependency. */
export const dependencies: Effect.Effect<Dependencies, never, Readiness> = Effect.flatMap(
  Readiness,
  ({ d1, r2, sequencer, disk }) =>
    Effect.all(
      { d1, r2, sequencer, ...(disk === undefined ? {} : { disk }) },
      { concurrency: "unbounded" }
    )
)

const findingOf = (dependency: string, outcome: Outcome): ReadonlyArray<Finding> => {
  if (outcome === "ok") return []
  return outcome === "full"
    ? [{ kind: "storage-full", subject: dependency, detail: "Less than 16 MB are free" }]
    : [
        {
          kind: "dependency-down",
          subject: dependency,
          detail: "It failed, or didn't respond within five seconds"
        }
      ]
}

/** What the dependencies' responses say. */
export const lookAtDependencies = (outcomes: Dependencies) =>
  complete(
    ["dependency-down", "storage-full"],
    Object.entries(outcomes).flatMap(([name, outcome]) => findingOf(name, outcome))
  )
