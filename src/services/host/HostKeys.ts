import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Problem } from "./Config.ts"

/** Whether the server's keys are the ones that its data was made with; the database keeps their fingerprints. */
export class HostKeys extends Context.Service<
  HostKeys,
  {
    /** One problem for each key that is another one; none while the database cannot be reached. */
    readonly problems: Effect.Effect<ReadonlyArray<Problem>>
  }
>()("nacre/services/HostKeys") {}
