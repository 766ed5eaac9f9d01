import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * What one call may spend before it has to leave the rest to the next one.
 *
 * A Worker has so many subrequests and so much time an invocation; what was done by then is written down.
 */
export class Budget {
  #operations: number
  readonly #until: number

  /** So many operations of a store, and until this time in milliseconds. */
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
