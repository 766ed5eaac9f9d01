import { type JsonObject, isObject, isRecord, listAt, objectAt, textAt } from "./json.ts"
import { blobUrlOf, type Local } from "./local.ts"

/** The profile fields that posts include. */
const basicFields = (local: Local): JsonObject => ({
  displayName: textAt(local.profile, "displayName"),
  pronouns: textAt(local.profile, "pronouns"),
  avatar: blobUrlOf(local, objectAt(local.profile, "avatar"))
})

const localAuthor = (local: Local): JsonObject => ({
  did: local.did,
  handle: local.handle,
  ...basicFields(local),
  labels: []
})

/**
 * The caller as the author of a post: from one of the response's posts, or else from their record.
 */
export const authorOf = (posts: Iterable<JsonObject>, local: Local): JsonObject => {
  for (const post of posts) {
    const author = objectAt(post, "author")
    if (!isCaller(author, local)) continue
    return local.profileIsNew ? { ...author, ...basicFields(local) } : author
  }
  return localAuthor(local)
}

/**
 * A profile page with the fields of the caller's record; counts, labels and relations stay the
 * AppView's.
 */
const withRecord = (view: JsonObject, local: Local): JsonObject => ({
  ...view,
  ...basicFields(local),
  description: textAt(local.profile, "description"),
  website: textAt(local.profile, "website"),
  banner: blobUrlOf(local, objectAt(local.profile, "banner")),
  pinnedPost: pinnedPost(local)
})

const pinnedPost = ({ profile }: Local): JsonObject | undefined => {
  const uri = textAt(profile, "pinnedPost", "uri")
  const cid = textAt(profile, "pinnedPost", "cid")
  return uri === undefined || cid === undefined ? undefined : { uri, cid }
}

const isCaller = (view: unknown, { did }: Local): view is JsonObject => textAt(view, "did") === did

/** The response of getProfile with the caller's new profile, if it is theirs. */
export const inProfile = (answer: JsonObject, local: Local): JsonObject | undefined =>
  local.profileIsNew && isCaller(answer, local) ? withRecord(answer, local) : undefined

/** The response of getProfiles with the caller's new profile, if it includes theirs. */
export const inProfiles = (answer: JsonObject, local: Local): JsonObject | undefined => {
  const profiles = listAt(answer, "profiles")
  if (!local.profileIsNew || !profiles.some((view) => isCaller(view, local))) return undefined
  return {
    ...answer,
    profiles: profiles.map((view) => (isCaller(view, local) ? withRecord(view, local) : view))
  }
}

/** The value with the caller's new profile wherever it appears; records stay as they are. */
export const withNewProfile = (value: unknown, local: Local): unknown => {
  if (!local.profileIsNew) return value
  const fields = basicFields(local)
  const description = textAt(local.profile, "description")
  const walk = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(walk)
    if (!isObject(part) || isRecord(part)) return part
    // Built from entries, because a key may be called __proto__.
    const copy = Object.fromEntries(Object.entries(part).map(([key, each]) => [key, walk(each)]))
    if (!isCaller(part, local) || textAt(part, "handle") === undefined) return copy
    return { ...copy, ...fields, ...("description" in part ? { description } : {}) }
  }
  return walk(value)
}
