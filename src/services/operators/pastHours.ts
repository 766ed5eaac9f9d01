import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Sequencer } from "../stream/Sequencer.ts"
import { HostCounts } from "./HostCounts.ts"

const anHour = 3_600_000

/** How many hours a job that missed its turns still notes: the stream keeps at least this many. */
const lookedBack = 23

/** Notes what happened in each past hour, once the hour has ended. */
export const notePastHours = Effect.gen(function* () {
  const counts = yield* HostCounts
  const current = Math.floor((yield* Clock.currentTimeMillis) / anHour)
  const first = current - lookedBack
  const noted = new Set((yield* counts.hours(first)).map(({ hour }) => hour))
  const missing = Array.from({ length: lookedBack }, (_, at) => first + at).filter(
    (hour) => !noted.has(hour)
  )
  const [from] = missing
  if (from === undefined) return
  const signUps = yield* counts.signUps(from)
  // Sequence numbers are microseconds: how many events follow a time is a question about its number.
  const bounds = Array.from({ length: current - from + 1 }, (_, at) => (from + at) * anHour * 1000)
  const { places } = yield* (yield* Sequencer).subscribers(bounds)
  const after = (hour: number) => places[hour - from]?.behind ?? 0
  const hours = missing.map((hour) => ({
    hour,
    events: after(hour) - after(hour + 1),
    signUps: signUps.get(hour) ?? 0
  }))
  yield* counts.noteHours(hours, current)
})
