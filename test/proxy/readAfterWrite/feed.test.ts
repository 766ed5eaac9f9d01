import { assert, describe, it } from "@effect/vitest"
import { inAuthorFeed, insertInFeed, missingInFeed } from "../../../src/core/proxy/feed.ts"
import type { JsonObject } from "../../../src/core/proxy/json.ts"
import type { LocalPost } from "../../../src/core/proxy/local.ts"
import {
  alice,
  assertValid,
  at,
  blob,
  bob,
  localOf,
  own,
  profileView,
  ref,
  replyTo,
  shown,
  uriOf,
  urisIn,
  viewingOf
} from "./fixture.ts"

const timeline = "app.bsky.feed.getTimeline"

const merge = (
  answer: JsonObject,
  posts: ReadonlyArray<LocalPost>,
  query = ""
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
): Record<string, any> => {
  const missing = missingInFeed(answer, posts, new URLSearchParams(query))
  const made = insertInFeed(answer, missing, viewingOf(localOf(posts), answer))
  assertValid(timeline, made)
  return made
}

const page = (minutes: ReadonlyArray<number>, cursor?: string): JsonObject => ({
  feed: minutes.map((minute) => ({ post: shown(minute) })),
  ...(cursor === undefined ? {} : { cursor })
})

const mixed = (...posts: ReadonlyArray<number | LocalPost>): ReadonlyArray<string> =>
  posts.map((post) => (typeof post === "number" ? uriOf(post, bob) : post.uri))

describe("inserting the caller's posts into a feed", () => {
  it("posts appear at the positions of their times", () => {
    const made = merge(page([30, 20, 10], "more"), [own(35), own(25)])
    assert.deepStrictEqual(urisIn(made), mixed(own(35), 30, own(25), 20, 10))
    assert.strictEqual(made["cursor"], "more")
  })

  it("posts older than the page are left for the next page, if there is one", () => {
    assert.deepStrictEqual(urisIn(merge(page([30, 20], "more"), [own(15)])), mixed(30, 20))
    assert.deepStrictEqual(urisIn(merge(page([30, 20]), [own(15)])), mixed(30, 20, own(15)))
  })

  it("posts appear in an empty feed", () => {
    assert.deepStrictEqual(urisIn(merge(page([]), [own(2), own(1)])), mixed(own(2), own(1)))
    assert.deepStrictEqual(urisIn(merge(page([], "more"), [own(1)])), mixed(own(1)))
  })

  it("posts appear only on the first page", () => {
    const made = merge(page([30, 20]), [own(35)], "cursor=some")
    assert.deepStrictEqual(urisIn(made), mixed(30, 20))
  })

  it("posts that the feed already shows aren't repeated", () => {
    const post = own(25)
    const answer = { feed: [{ post: { ...shown(25, alice), uri: post.uri } }] }
    assert.deepStrictEqual(urisIn(merge(answer, [post])), [post.uri])
  })

  it("the feed stays within the requested number of posts", () => {
    const made = merge(page([10]), [own(25), own(24), own(23)], "limit=1")
    assert.deepStrictEqual(urisIn(made), mixed(own(25), 10))
  })

  it("a pinned post stays on top, and a repost has its own time", () => {
    const pinned = { post: shown(1), reason: { $type: "app.bsky.feed.defs#reasonPin" } }
    const reason = { by: profileView(bob), indexedAt: at(40) }
    const reposted = {
      post: shown(2),
      reason: { $type: "app.bsky.feed.defs#reasonRepost", ...reason }
    }
    const made = merge({ feed: [pinned, reposted, { post: shown(30) }] }, [own(35)])
    assert.deepStrictEqual(urisIn(made), mixed(1, 2, own(35), 30))
  })

  it("a post with an earlier date appears where an AppView would put it", () => {
    const made = merge(page([30, 20, 10]), [own(35, { createdAt: at(15) })])
    assert.deepStrictEqual(urisIn(made), mixed(30, 20, own(35), 10))
  })

  it("a reply shows its parent if the response has it or the caller wrote it", () => {
    const root = uriOf(20, bob)
    const first = own(31, replyTo(root))
    const second = own(32, replyTo(first.uri, root))
    const made = merge(page([20]), [second, first])
    assert.deepStrictEqual(urisIn(made), [second.uri, first.uri, root])
    const [later, earlier] = made["feed"]
    assert.strictEqual(earlier.reply.parent.uri, root)
    assert.strictEqual(later.reply.root.uri, root)
    assert.strictEqual(later.reply.parent.uri, first.uri)
    assert.strictEqual(later.reply.grandparentAuthor.did, bob)
  })

  it("a reply with an unknown parent appears without it", () => {
    const [item] = merge({ feed: [] }, [own(31, replyTo(uriOf(99, bob)))])["feed"]
    assert.isUndefined(item.reply)
  })

  it("a response of another shape gets no posts", () => {
    for (const answer of [{}, { feed: 7 }, { feed: { length: 1 } }]) {
      assert.deepStrictEqual(missingInFeed(answer, [own(1)], new URLSearchParams()), [])
    }
  })
})

describe("the caller's own feed", () => {
  const plain = own(1)
  const reply = own(2, replyTo(uriOf(50, bob)))
  const thread = own(3, replyTo(plain.uri))
  const nested = own(4, replyTo(uriOf(51, bob), plain.uri))
  const images = { $type: "app.bsky.embed.images", images: [{ image: blob(), alt: "" }] }
  const picture = own(5, { embed: images })
  const record = { $type: "app.bsky.embed.record", record: ref(uriOf(52, bob)) }
  const quote = own(6, {
    embed: { $type: "app.bsky.embed.recordWithMedia", record, media: images }
  })
  const video = own(7, { embed: { $type: "app.bsky.embed.video", video: blob("video/mp4") } })
  const posts = [plain, reply, thread, nested, picture, quote, video]

  const cases: ReadonlyArray<readonly [string | null, ReadonlyArray<LocalPost>]> = [
    [null, posts],
    ["posts_with_replies", posts],
    ["posts_no_replies", [plain, picture, quote, video]],
    ["posts_and_author_threads", [plain, thread, picture, quote, video]],
    ["posts_with_media", [picture, quote]],
    ["posts_with_video", [video]]
  ]
  for (const [filter, expected] of cases) {
    it(`the feed has the posts that belong under ${filter ?? "no filter"}`, () => {
      assert.deepStrictEqual(inAuthorFeed(localOf(posts), filter), expected)
    })
  }
})
