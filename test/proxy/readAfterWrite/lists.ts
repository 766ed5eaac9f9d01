import type { JsonObject } from "../../../src/core/proxy/json.ts"
import type { LocalPost } from "../../../src/core/proxy/local.ts"
import { insertInItems, missingInItems, wishOf } from "../../../src/core/proxy/threadV2.ts"
import { assertValid, localOf, viewingOf } from "./fixture.ts"

export const nsid = "app.bsky.unspecced.getPostThreadV2"
export const carol = "did:plc:carollllllllllllllllllll"

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into threads of every shape
export type Seen = any

/** A thread as its depths and URIs, in order. */
export const outline = (answer: Seen): Seen =>
  answer.thread.map(({ depth, uri }: Seen) => [depth, uri])

/** A response with these items. */
export const answerOf = (thread: ReadonlyArray<JsonObject>): JsonObject => ({
  thread,
  hasOtherReplies: false
})

/** The response with Alice's posts, given newest first, for these parameters. */
export const merge = (answer: JsonObject, posts: ReadonlyArray<LocalPost>, query = ""): Seen => {
  const local = localOf(posts)
  const missing = missingInItems(answer, local)
  const wish = wishOf(new URLSearchParams(query))
  const made = insertInItems(answer, missing, viewingOf(local, answer), wish)
  assertValid(nsid, made)
  return made
}

/** The value in a post's item. */
export const valueOf = (answer: Seen, { uri }: { readonly uri: unknown }): Seen =>
  answer.thread.find((each: Seen) => each.uri === uri)?.value
