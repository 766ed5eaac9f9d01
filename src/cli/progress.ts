import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { bytes, note } from "./output.ts"

/** How far something has come. */
export interface Progress {
  /** So much more is done, now or before this run. */
  advance(amount: number): Effect.Effect<void>
}

interface Options {
  readonly label: string
  /** How much there is to do, where that is known. */
  readonly total?: number
  readonly unit: "bytes" | "items"
}

const barWidth = 24
/** How often a bar is drawn anew, in milliseconds. */
const drawEvery = 100

const amountOf = (unit: Options["unit"], count: number) =>
  unit === "bytes" ? bytes(count) : String(count)

/** The line of a bar: `Blobs [######------] 12 of 40`. */
export const barOf = ({ label, total, unit }: Options, done: number): string => {
  if (total === undefined) return `${label} ${amountOf(unit, done)}`
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const full = Math.round(share * barWidth)
  const bar = `${"#".repeat(full)}${"-".repeat(barWidth - full)}`
  return `${label} [${bar}] ${amountOf(unit, done)} of ${amountOf(unit, total)}`
}

/** Shows a bar on a terminal while something goes on; elsewhere one line when it is done. */
export const withProgress = <A, E, R>(
  options: Options,
  work: (progress: Progress) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    const isTerminal = yield* stdio.stderrIsTerminal
    const done = yield* Ref.make(0)
    const drawnAt = yield* Ref.make(0)
    const write = (text: string) =>
      Stream.run(Stream.make(text), stdio.stderr({ endOnDone: false })).pipe(Effect.ignore)
    const draw = Effect.flatMap(Ref.get(done), (count) =>
      write(`\r\u001B[2K${barOf(options, count)}`)
    )
    const advance = Effect.fnUntraced(function* (amount: number) {
      yield* Ref.update(done, (count) => count + amount)
      if (!isTerminal) return
      const now = yield* Clock.currentTimeMillis
      if (now - (yield* Ref.get(drawnAt)) < drawEvery) return
      yield* Ref.set(drawnAt, now)
      yield* draw
    })
    const answer = yield* Effect.ensuring(
      work({ advance }),
      isTerminal ? Effect.andThen(draw, write("\n")) : Effect.void
    )
    if (!isTerminal) yield* note(barOf(options, yield* Ref.get(done)))
    return answer
  })
