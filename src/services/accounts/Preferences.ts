import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** One preference: a JSON object with its `$type`. */
export type Preference = Readonly<Record<string, unknown>> & { readonly $type: string }

/** The account's private preferences (app.bsky.*), in order. */
export class Preferences extends Context.Service<
  Preferences,
  {
    get(): ReadonlyArray<Preference>
    /** Replaces all preferences; one row, whatever their number. */
    put(preferences: ReadonlyArray<Preference>): Effect.Effect<void>
  }
>()("nacre/services/Preferences") {}
