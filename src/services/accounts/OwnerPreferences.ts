import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Preference, Preferences } from "./Preferences.ts"

/** A preference of another namespace, or one that this session may not set. */
export class PreferenceRefused extends Schema.TaggedError<PreferenceRefused>()(
  "PreferenceRefused",
  { message: Schema.String }
) {}

const personalDetails = "app.bsky.actor.defs#personalDetailsPref"
const declaredAge = "app.bsky.actor.defs#declaredAgePref"

/** Full years between a birth date and now; undefined if the date is invalid. */
const ageAt = (birthDate: unknown, now: number): number | undefined => {
  const birth = new Date(typeof birthDate === "string" ? birthDate : Number.NaN)
  if (Number.isNaN(birth.getTime())) return undefined
  const today = new Date(now)
  const years = today.getUTCFullYear() - birth.getUTCFullYear()
  const months = today.getUTCMonth() - birth.getUTCMonth()
  const isBefore = months < 0 || (months === 0 && today.getUTCDate() < birth.getUTCDate())
  return isBefore ? years - 1 : years
}

/** The age that apps may know, computed from the birth date that only the owner may read. */
const declaredAgeOf = (
  preferences: ReadonlyArray<Preference>,
  now: number
): ReadonlyArray<Preference> => {
  const details = preferences.find(({ $type }) => $type === personalDetails)
  const age = ageAt(details?.["birthDate"], now)
  return age === undefined
    ? []
    : [
        {
          $type: declaredAge,
          isOverAge13: age >= 13,
          isOverAge16: age >= 16,
          isOverAge18: age >= 18
        }
      ]
}

/** The preferences for a session; an app password's doesn't get the personal details. */
export const shownPreferences = (
  isOwner: boolean,
  services: Context.Context<Preferences>
): ReadonlyArray<Preference> => {
  const stored = Context.get(services, Preferences).get()
  const shown = stored.filter(({ $type }) => isOwner || $type !== personalDetails)
  const now = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
  return [...shown, ...declaredAgeOf(stored, now)]
}

const isOfNamespace = ({ $type }: { readonly $type?: unknown }): boolean =>
  typeof $type === "string" && ($type === "app.bsky" || $type.startsWith("app.bsky."))

/** Replaces all preferences; an app password's session keeps the personal details as they are. */
export const putPreferences = Effect.fn("putPreferences")(function* (
  given: ReadonlyArray<{ readonly $type?: unknown }>,
  isOwner: boolean
) {
  if (!given.every(isOfNamespace)) {
    return yield* new PreferenceRefused({
      message: "Some preferences are not in the app.bsky namespace"
    })
  }
  // SAFETY: every `$type` was checked above.
  const preferences = (given as ReadonlyArray<Preference>).filter(
    ({ $type }) => $type !== declaredAge
  )
  const store = yield* Preferences
  if (isOwner) return yield* store.put(preferences)
  if (preferences.some(({ $type }) => $type === personalDetails)) {
    return yield* new PreferenceRefused({
      message: `Do not have authorization to set preferences: ${personalDetails}`
    })
  }
  const kept = store.get().filter(({ $type }) => $type === personalDetails)
  yield* store.put([...kept, ...preferences])
})
