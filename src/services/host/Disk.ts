import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** The disk of a server on one machine; a deployed server has none. */
export interface DiskShape {
  /** Free bytes. */
  readonly free: Effect.Effect<number>
}

/** The disk for all data, if there is one. */
export const Disk = Context.Reference<DiskShape | undefined>("nacre/services/Disk", {
  defaultValue: () => undefined
})
