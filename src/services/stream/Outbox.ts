import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { OutboxEvent } from "./Sequencer.ts"

/**
 * The events of an account on their way to the log.
 *
 * `push` is synchronous and runs inside the commit's transaction, so that a commit and its event are one;
 * `deliver` hands them over afterwards, in order, and again by alarm until the log has taken them.
 */
export class Outbox extends Context.Service<
  Outbox,
  {
    /** Answers the event's id, which the same transaction keeps in the head's row: ids rise for ever. */
    push(event: Omit<OutboxEvent, "id">): number
    /** Hands over everything that waits; never fails: what could not be delivered stays and an alarm is armed. */
    readonly deliver: Effect.Effect<void>
    /** Arms the alarm that delivers after a kill, and hands over in the background. Call after the transaction. */
    readonly flush: Effect.Effect<void>
    readonly waiting: number
  }
>()("nacre/services/Outbox") {}
