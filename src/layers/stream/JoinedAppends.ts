import * as Result from "effect/Result"
import type { OutboxEvent } from "../../services/stream/Sequencer.ts"

/** How long a call waits for those of other accounts, in milliseconds. */
const pause = 2

/** A call of the log: events of one account. */
export interface Append {
  readonly did: string
  readonly events: ReadonlyArray<OutboxEvent>
}

/** For each call in order, the highest id taken, or why it failed. */
export type Appended = ReadonlyArray<Result.Result<number, unknown>>

/** A call that waits, and how to answer it. */
interface Waiting {
  readonly call: Append
  answer(result: Appended[number]): void
}

/** The time in milliseconds, and a timer. */
interface Timing {
  now(): number
  later(milliseconds: number, run: () => void): void
}

const timing: Timing = {
  now: () => Date.now(),
  later: (milliseconds, run) => void setTimeout(run, milliseconds)
}

/**
 * Lets calls that arrive together run in one turn, whose changes the platform commits to the disk
 * once.
 *
 * A call runs at once, unless it comes within 2 ms of another account's: then it waits so long for
 * others. Each fails alone.
 */
export class JoinedAppends {
  private readonly run: (calls: ReadonlyArray<Append>) => Appended
  private readonly timing: Timing
  /** The account whose call ran last; undefined after several. */
  private last: string | undefined
  /** Until when other accounts' calls wait. */
  private until = 0
  private waiting: Array<Waiting> = []

  constructor(run: (calls: ReadonlyArray<Append>) => Appended, given = timing) {
    this.run = run
    this.timing = given
  }

  /** Returns the highest id taken, once it is known. */
  append(call: Append): number | Promise<number> {
    const isAlone = call.did === this.last || this.timing.now() >= this.until
    if (isAlone && this.waiting.length === 0) {
      return Result.getOrThrowWith(this.runNow([call])[0]!, (cause) => cause)
    }
    return new Promise((done, fail) => {
      const answer = Result.match({ onSuccess: done, onFailure: fail })
      if (this.waiting.push({ call, answer }) > 1) return
      this.timing.later(pause, () => this.runWaiting())
    })
  }

  private runWaiting(): void {
    const waiting = this.waiting
    this.waiting = []
    const ran = Result.try(() => this.runNow(waiting.map(({ call }) => call)))
    for (const [at, { answer }] of waiting.entries()) answer(Result.flatMap(ran, (all) => all[at]!))
  }

  private runNow(calls: ReadonlyArray<Append>): Appended {
    this.last = calls.length === 1 ? calls[0]?.did : undefined
    this.until = this.timing.now() + pause
    return this.run(calls)
  }
}
