import { jsonToLex, lexicons } from "@atproto/api"
import { assert } from "@effect/vitest"
import type { JsonObject } from "../../../src/core/proxy/json.ts"
import type { Local, LocalPost } from "../../../src/core/proxy/local.ts"
import { postsIn, type Viewing } from "../../../src/core/proxy/views.ts"

export const alice = "did:plc:aliceaaaaaaaaaaaaaaaaaaa"
export const bob = "did:plc:bobbbbbbbbbbbbbbbbbbbbbb"

/** A valid CID, the same for all content here. */
export const cid = "bafyreib2rxk3rybloqtqwbo3dpwdgcdjwzz5wdjkcvyvhnnxsxzcnvhcpi"
export const blobOfCid = "bafkreiccldh766hwcnuxnf2wh6jgzepf2nlu2lvcllt63eww5p6chi4ity"

export const at = (minute: number): string =>
  new Date(Date.UTC(2026, 4, 1, 12, minute)).toISOString()

export const blob = (mimeType = "image/png"): JsonObject => ({
  $type: "blob",
  ref: { $link: blobOfCid },
  mimeType,
  size: 1000
})

export const ref = (uri: string): JsonObject => ({ uri, cid })

/** The URI of the post with this number. */
export const uriOf = (number: number, did = alice): string => {
  const letters = [...String(number)].map((digit) => "abcdefghij"[Number(digit)]).join("")
  return `at://${did}/app.bsky.feed.post/3kabc${letters.padStart(8, "2")}`
}

/** A post by Alice, written at this minute. */
export const own = (number: number, more: JsonObject = {}): LocalPost => ({
  uri: uriOf(number),
  cid,
  indexedAt: at(number),
  record: { $type: "app.bsky.feed.post", text: `post ${number}`, createdAt: at(number), ...more }
})

/** The fields that make a post a reply. */
export const replyTo = (parent: string, root = parent): JsonObject => ({
  reply: { root: ref(root), parent: ref(parent) }
})

export const profileView = (did: string): JsonObject => ({
  did,
  handle: did === alice ? "alice.test" : "bob.test",
  displayName: did === alice ? "Alice of old" : "Bob",
  labels: [],
  viewer: { muted: false }
})

/** An AppView's view of a post. */
export const shown = (number: number, did = bob, more: JsonObject = {}): JsonObject => ({
  uri: uriOf(number, did),
  cid,
  author: profileView(did),
  record: { $type: "app.bsky.feed.post", text: `shown ${number}`, createdAt: at(number), ...more },
  replyCount: 2,
  indexedAt: at(number),
  labels: []
})

/** An AppView's view of a thread. */
export const thread = (post: JsonObject, replies: ReadonlyArray<JsonObject> = []): JsonObject => ({
  $type: "app.bsky.feed.defs#threadViewPost",
  post,
  replies
})

/** An AppView's list item of a thread's post. */
export const item = (post: JsonObject, depth: number, more: JsonObject = {}): JsonObject => ({
  uri: post["uri"],
  depth,
  value: {
    $type: "app.bsky.unspecced.defs#threadItemPost",
    post,
    moreParents: false,
    moreReplies: 0,
    opThread: false,
    hiddenByThreadgate: false,
    mutedByViewer: false,
    ...more
  }
})

/** Alice's posts, newest first. */
export const localOf = (posts: ReadonlyArray<LocalPost>, more: Partial<Local> = {}): Local => ({
  did: alice,
  handle: "alice.test",
  posts,
  profile: undefined,
  profileIsNew: false,
  blobUrl: (of) => `https://pds.example.com/blob/${of}`,
  ...more
})

/** What showing posts requires, from the response alone. */
export const viewingOf = (local: Local, answer: unknown = {}): Viewing => ({
  local,
  author: profileView(alice),
  known: postsIn(answer)
})

/** Asserts that a response matches its lexicon. */
export const assertValid = (nsid: string, answer: unknown): void => {
  const value = jsonToLex(JSON.parse(JSON.stringify(answer)))
  assert.doesNotThrow(() => lexicons.assertValidXrpcOutput(nsid, value))
}

/** The URIs of the posts in a feed, in order. */
export const urisIn = (answer: unknown): ReadonlyArray<string> =>
  // SAFETY: a feed's response; another shape fails the test here.
  (answer as { feed: ReadonlyArray<{ post: { uri: string } }> }).feed.map(({ post }) => post.uri)
