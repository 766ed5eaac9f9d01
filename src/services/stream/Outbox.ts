import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { OutboxEvent } from "./Sequencer.ts"

/**
 * The events of an account on their way to the log.
 *
 * `push` is synchronous and runs inside the commit's transaction, so a commit and its event are
 * stored together; `deliver` sends them afterwards, in order, and the alarm repeats it until the
 * log has them.
 */
export class Outbox extends Context.Service<
  Outbox,
  {
    /**
     * Returns the event's id, which the same transaction stores in the head's row; ids always
     * increase.
     */
    push(event: Omit<OutboxEvent, "id">): number
    /** Sends everything that waits; never fails: sets an alarm for what could not be delivered. */
    readonly deliver: Effect.Effect<void>
    /**
     * Sets the alarm that delivers after a crash, and sends in the background. Call after the
     * transaction.
     */
    readonly flush: Effect.Effect<void>
    /** Does the same without a fiber; false if that can't be done, so `flush` is needed. */
    flushNow(services: Context.Context<never>): boolean
    readonly waiting: number
  }
>()("nacre/services/Outbox") {}
