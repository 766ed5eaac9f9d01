import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { channels, isDue } from "../../../core/operators/alerts.ts"
import { Sequencer } from "../../stream/Sequencer.ts"
import { Alerts } from "../Alerts.ts"
import { send } from "./report.ts"

/** The database's alert while it can't be stored there. */
const Outage = Schema.Struct({
  begunAt: Schema.Finite,
  seenAt: Schema.Finite,
  reported: Schema.Array(Schema.Literals(channels)),
  settled: Schema.Array(Schema.Literals(channels))
})

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Outage))

const name = "database outage"

const alertOf = ({ begunAt, seenAt }: typeof Outage.Type) => ({
  kind: "dependency-down" as const,
  subject: "d1",
  detail: "The database failed, or didn't respond within five seconds",
  begunAt,
  seenAt
})

const remembered = Effect.flatMap(Sequencer, (sequencer) => sequencer.note(name)).pipe(
  Effect.map((text) => Option.getOrUndefined(decode(text)))
)

/** Notes in the Sequencer that the database is down, and reports it once. */
export const noteOutage = Effect.fnUntraced(function* (now: number) {
  const sequencer = yield* Sequencer
  const known = yield* remembered
  const seen = { begunAt: now, reported: [], settled: [], ...known, seenAt: now }
  // Stored before it is reported: without a memory of it, each look would report it again.
  yield* sequencer.setNote(name, JSON.stringify(seen))
  const alert = alertOf(seen)
  if (!isDue(alert)) return
  const reported = [...seen.reported]
  const settled = [...seen.settled]
  for (const channel of channels.filter((one) => !settled.includes(one))) {
    const outcome = yield* send(channel, [alert])
    if (outcome === "failed") continue
    settled.push(channel)
    if (outcome === "sent") reported.push(channel)
  }
  yield* sequencer.setNote(name, JSON.stringify({ ...seen, reported, settled }))
})

/** Adds an ended outage to the database, which then reports its end. */
export const recallOutage = Effect.gen(function* () {
  const sequencer = yield* Sequencer
  const known = yield* remembered
  if (known === undefined) return
  const alert = alertOf(known)
  if (isDue(alert)) yield* (yield* Alerts).add({ ...alert, reportedBegin: known.reported })
  yield* sequencer.setNote(name, undefined)
})
