import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** The disk of a server that runs on one machine; a deployed server has none. */
export interface DiskShape {
  /** The bytes that are free. */
  readonly free: Effect.Effect<number>
}

/** The disk that everything is written to, where there is one. */
export const Disk = Context.Reference<DiskShape | undefined>("nacre/services/Disk", {
  defaultValue: () => undefined
})
