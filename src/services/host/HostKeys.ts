import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Problem } from "./Config.ts"

/** The problem of data that a newer version of the server has written. */
export const newerData: Problem = {
  variable: "DATA",
  message:
    "was written by a newer version of Nacre, which this version can't read: deploy that version or a later one"
}

/** Whether the server's keys are the ones that its data was made with; the database keeps their fingerprints. */
export class HostKeys extends Context.Service<
  HostKeys,
  {
    /** One problem for each key that is another one, and one for data that is newer than the code; none while the database cannot be reached. */
    readonly problems: Effect.Effect<ReadonlyArray<Problem>>
  }
>()("nacre/services/HostKeys") {}
