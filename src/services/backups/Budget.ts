import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * The work that one call may do before it leaves the rest to the next call.
 *
 * An invocation of a Worker has limits on subrequests and time.
 */
export class Budget {
  #operations: number
  readonly #until: number

  /** Allows a number of store operations, until a time in milliseconds. */
  constructor({ operations, until }: { readonly operations: number; readonly until: number }) {
    this.#operations = operations
    this.#until = until
  }

  spend(operations: number): void {
    this.#operations -= operations
  }

  readonly isSpent: Effect.Effect<boolean> = Effect.map(
    Clock.currentTimeMillis,
    (now) => this.#operations <= 0 || now >= this.#until
  )
}
