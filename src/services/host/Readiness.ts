import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { backupHealth, type BackupHealth } from "../backups/backupHealth.ts"
import { BackupLedger } from "../backups/BackupLedger.ts"
import { BlobStore } from "../blobs/BlobStore.ts"
import { Alerts, type AlertSummary } from "../operators/Alerts.ts"
import { WatchNotes } from "../operators/WatchNotes.ts"
import { Directory } from "../accounts/Directory.ts"
import { Disk } from "./Disk.ts"
import { Sequencer } from "../stream/Sequencer.ts"

/** Whether a dependency responded, or has no more room; its failure is only logged. */
export type Outcome = "ok" | "error" | "full"

/** Whether the server's dependencies respond, checked at most every five seconds. */
export class Readiness extends Context.Service<
  Readiness,
  {
    readonly d1: Effect.Effect<Outcome>
    readonly r2: Effect.Effect<Outcome>
    readonly sequencer: Effect.Effect<Outcome>
    /** Only if the server runs on one machine. */
    readonly disk?: Effect.Effect<Outcome>
    /** Not a dependency: the server works without backups. */
    readonly backups: Effect.Effect<BackupHealth | undefined>
    /** What the watch found last. */
    readonly alerts: Effect.Effect<AlertSummary | undefined>
  }
>()("nacre/services/Readiness") {}

/** How long a dependency may take before it counts as down. */
const patience = "5 seconds"

const rememberedMillis = 5000

/**
 * A disk with less free space counts as full: databases and their logs need room to write at all.
 */
const leastFree = 16 * 1024 * 1024

const outcome = <E>(check: Effect.Effect<Outcome, E>): Effect.Effect<Outcome> =>
  check.pipe(
    Effect.timeout(patience),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logWarning("a dependency is not ready", cause), "error" as const)
    )
  )

const answers = <E>(check: Effect.Effect<unknown, E>) => outcome(Effect.as(check, "ok" as const))

/** Remembers the result rather than the promise: in a Worker no request may await another's I/O. */
const remembered = <A>(check: Effect.Effect<A>): Effect.Effect<A> => {
  let last: { readonly at: number; readonly answered: A } | undefined
  return Effect.gen(function* () {
    const since = (yield* Clock.currentTimeMillis) - (last?.at ?? 0)
    if (last !== undefined && since >= 0 && since < rememberedMillis) return last.answered
    const answered = yield* check
    last = { at: yield* Clock.currentTimeMillis, answered }
    return answered
  })
}

export const layer: Layer.Layer<
  Readiness,
  never,
  Alerts | BackupLedger | BlobStore | Directory | Sequencer | WatchNotes
> = Layer.effect(
  Readiness,
  Effect.gen(function* () {
    const directory = yield* Directory
    const blobs = yield* BlobStore
    const sequencer = yield* Sequencer
    const disk = yield* Disk
    const noted = yield* Effect.context<BackupLedger | WatchNotes>()
    const alerts = yield* Alerts
    const hasRoom = disk && Effect.map(disk.free, (bytes) => (bytes < leastFree ? "full" : "ok"))
    return {
      d1: remembered(answers(directory.ping)),
      r2: remembered(answers(blobs.head("ready"))),
      sequencer: remembered(answers(sequencer.status)),
      alerts: remembered(Effect.orElseSucceed(alerts.summary, () => undefined)),
      backups: remembered(Effect.provide(backupHealth, noted)),
      ...(hasRoom === undefined ? {} : { disk: remembered(outcome(hasRoom)) })
    }
  })
)
