import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { bytes, note } from "./output.ts"

/** Reports the progress of an operation. */
export interface Progress {
  /** Adds finished items, including those of an earlier run. */
  advance(items: number): Effect.Effect<void>
  /** Adds transferred bytes. */
  pass(bytes: number): Effect.Effect<void>
}

interface Options {
  readonly label: string
  /** The number of items, unless only bytes are counted. */
  readonly total?: number
}

interface State {
  readonly items: number
  readonly bytes: number
}

const barWidth = 24
/** The redraw interval of a bar, in milliseconds. */
const drawEvery = 100

/** The line of a bar: `Blobs [######------] 12 of 40, 3.2 MB`. */
const barOf = ({ label, total }: Options, { items, bytes: passed }: State): string => {
  if (total === undefined) return `${label} ${bytes(passed)}`
  const share = total === 0 ? 1 : Math.min(1, items / total)
  const full = Math.round(share * barWidth)
  const bar = `${"#".repeat(full)}${"-".repeat(barWidth - full)}`
  const size = passed === 0 ? "" : `, ${bytes(passed)}`
  return `${label} [${bar}] ${items} of ${total}${size}`
}

/** Shows a progress bar on a terminal; elsewhere one line at the end. */
export const withProgress = <A, E, R>(
  options: Options,
  work: (progress: Progress) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    const isTerminal = yield* stdio.stderrIsTerminal
    const done = yield* Ref.make<State>({ items: 0, bytes: 0 })
    const drawnAt = yield* Ref.make(0)
    const write = (text: string) =>
      Stream.run(Stream.make(text), stdio.stderr({ endOnDone: false })).pipe(Effect.ignore)
    const draw = Effect.flatMap(Ref.get(done), (state) =>
      write(`\r\u001B[2K${barOf(options, state)}`)
    )
    const add = Effect.fnUntraced(function* (more: Partial<State>) {
      yield* Ref.update(done, (state) => ({
        items: state.items + (more.items ?? 0),
        bytes: state.bytes + (more.bytes ?? 0)
      }))
      if (!isTerminal) return
      const now = yield* Clock.currentTimeMillis
      if (now - (yield* Ref.get(drawnAt)) < drawEvery) return
      yield* Ref.set(drawnAt, now)
      yield* draw
    })
    const answer = yield* Effect.ensuring(
      work({
        advance: (items) => add({ items }),
        pass: (passed) => add({ bytes: passed })
      }),
      isTerminal ? Effect.andThen(draw, write("\n")) : Effect.void
    )
    if (!isTerminal) yield* note(barOf(options, yield* Ref.get(done)))
    return answer
  })
