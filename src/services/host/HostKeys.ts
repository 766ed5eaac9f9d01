import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Problem } from "./Config.ts"

/** The problem of data that a newer version of the server wrote. */
export const newerData: Problem = {
  variable: "DATA",
  message:
    "was written by a newer version of Nacre, which this version can't read: deploy that version or a later one"
}

/** Checks that the server's keys are those of its data, whose fingerprints are in the database. */
export class HostKeys extends Context.Service<
  HostKeys,
  {
    /** Whether an earlier comparison has found that they are, so `problems` is empty. */
    areRight(): boolean
    /**
     * One problem for each key that differs, and one for data newer than the code; empty while the
     * database is unreachable.
     */
    readonly problems: Effect.Effect<ReadonlyArray<Problem>>
  }
>()("nacre/services/HostKeys") {}
