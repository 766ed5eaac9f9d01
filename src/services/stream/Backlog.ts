import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

/** The events of an account that the stream hasn't taken. */
export interface WaitingEvents {
  readonly events: number
  /** When the oldest was written, in milliseconds. */
  readonly since: number
}

/** The waiting events of all accounts. */
export interface BacklogTotal extends WaitingEvents {
  readonly accounts: number
}

/** Outboxes that don't drain; an account's object notes its own again every ten minutes. */
export interface BacklogShape {
  note(did: string, waiting: WaitingEvents, now: number): Effect.Effect<void, DirectoryUnavailable>
  /** The outboxes noted since a time; forgets older notes: their outboxes have drained. */
  total(from: number): Effect.Effect<BacklogTotal | undefined, DirectoryUnavailable>
}

/** Outboxes that don't drain; undefined if nobody watches. */
export const Backlog = Context.Reference<BacklogShape | undefined>("nacre/services/Backlog", {
  defaultValue: () => undefined
})
