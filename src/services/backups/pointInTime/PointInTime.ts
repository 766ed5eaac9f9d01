import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The platform can't take an account's object back to a time. */
export class PointInTimeOff extends Schema.TaggedError<PointInTimeOff>()("PointInTimeOff", {
  problem: Schema.String
}) {
  override get message(): string {
    return `This server can't go back to a point in time: ${this.problem}. Restore from a backup instead`
  }
}

/** How this object's storage goes back to an earlier state, where the platform keeps those. */
export interface PointInTimeShape {
  /** Names the storage's state at a time (ms). */
  bookmarkAt(time: number): Effect.Effect<string, PointInTimeOff>
  /** Names the current state. */
  readonly now: Effect.Effect<string, PointInTimeOff>
  /** Restarts the object with the storage of a bookmark; its callers fail as if it had crashed. */
  goTo(bookmark: string): Effect.Effect<never, PointInTimeOff>
  /** Restarts the object with the storage as it is. */
  readonly restart: Effect.Effect<never>
  /** A text in the storage, which goes back with it; synchronous. */
  mark(): string | undefined
  setMark(mark: string): void
}

/** The platform's way back, if it has one. */
export const PointInTime = Context.Reference<PointInTimeShape | undefined>(
  "nacre/services/PointInTime",
  { defaultValue: () => undefined }
)
