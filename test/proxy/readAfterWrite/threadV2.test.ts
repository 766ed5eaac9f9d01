import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../../src/core/proxy/json.ts"
import { isAnchorUnknown, missingInItems, wishOf } from "../../../src/core/proxy/threadV2.ts"
import { alice, assertValid, bob, item, localOf, own, replyTo, shown, uriOf } from "./fixture.ts"
import { answerOf, carol, merge, nsid, outline, type Seen, valueOf } from "./lists.ts"

const root: Seen = shown(10, bob)
const rootUri = uriOf(10, bob)

/** A reply to the root, or to another post of its thread. */
const replyOf = (number: number, did: string, parent = rootUri, more: JsonObject = {}): Seen => ({
  ...shown(number, did, replyTo(parent, rootUri)),
  replyCount: 0,
  ...more
})

describe("inserting the caller's replies into a thread's list", () => {
  it("a reply appears below its parent, one level deeper, and is counted there", () => {
    const mid = replyOf(11, carol)
    const low = replyOf(12, carol, mid.uri)
    const answer = answerOf([item(root, 0), item(mid, 1), item(low, 2)])
    const top = own(20, replyTo(rootUri))
    const below = own(21, replyTo(mid.uri, rootUri))
    const made = merge(answer, [below, top])
    assert.deepStrictEqual(outline(made), [
      [0, rootUri],
      [1, top.uri],
      [1, mid.uri],
      [2, below.uri],
      [2, low.uri]
    ])
    assert.deepStrictEqual(
      [root, mid, low].map((post) => valueOf(made, post).post.replyCount),
      [3, 1, 0]
    )
    assert.strictEqual(valueOf(made, top).moreReplies, 0)
    assert.strictEqual(made.hasOtherReplies, false)
  })

  it("a reply to a new reply appears, at the end too", () => {
    const first = own(20, replyTo(rootUri))
    const second = own(21, replyTo(first.uri, rootUri))
    const made = merge(answerOf([item(root, 0)]), [second, first])
    assert.deepStrictEqual(outline(made), [
      [0, rootUri],
      [1, first.uri],
      [2, second.uri]
    ])
    assert.strictEqual(valueOf(made, first).post.replyCount, 1)
  })

  it("a reply to a post above the anchor is only counted", () => {
    const anchor = replyOf(11, carol)
    const made = merge(answerOf([item(root, -1), item(anchor, 0)]), [own(20, replyTo(rootUri))])
    assert.deepStrictEqual(outline(made), [
      [-1, rootUri],
      [0, anchor.uri]
    ])
    assert.strictEqual(valueOf(made, root).post.replyCount, 3)
    assert.strictEqual(valueOf(made, root).moreReplies, 0)
  })

  it("a reply below the requested depth is only counted", () => {
    const mid = replyOf(11, carol)
    const answer = answerOf([item(root, 0), item(mid, 1)])
    const reply = own(20, replyTo(mid.uri, rootUri))
    const made = merge(answer, [reply], "below=1")
    assert.deepStrictEqual(outline(made), outline(answer))
    assert.deepStrictEqual(
      [valueOf(made, mid).post.replyCount, valueOf(made, mid).moreReplies],
      [1, 1]
    )
    const none = merge(answerOf([item(root, 0)]), [own(20, replyTo(rootUri))], "below=0")
    assert.deepStrictEqual([none.thread.length, valueOf(none, root).moreReplies], [1, 1])
  })

  it("a reply is only counted if the AppView omitted all replies at this depth", () => {
    const mid = replyOf(11, carol, rootUri, { replyCount: 2 })
    const lowest = answerOf([item(root, 0), item(mid, 1, { moreReplies: 2 })])
    const reply = own(20, replyTo(mid.uri, rootUri))
    const made = merge(lowest, [reply], "below=20&branchingFactor=1")
    assert.deepStrictEqual(outline(made), outline(lowest))
    assert.deepStrictEqual(
      [valueOf(made, mid).post.replyCount, valueOf(made, mid).moreReplies],
      [3, 3]
    )
    const hidden = answerOf([item(root, 0), item(mid, 1, { moreReplies: 1 })])
    assert.strictEqual(merge(hidden, [reply], "branchingFactor=1").thread.length, 3)
  })

  it("a reply's branch stays within the branching factor: the last one goes, with everything below it", () => {
    const mid = replyOf(11, carol, rootUri, { replyCount: 1 })
    const low = replyOf(12, bob, mid.uri, {
      author: { did: carol, handle: "carol.test" }
    })
    const lower = replyOf(13, carol, low.uri)
    const next = replyOf(14, carol)
    const items = [item(root, 0), item(mid, 1), item(low, 2), item(lower, 3), item(next, 1)]
    const reply = own(20, replyTo(mid.uri, rootUri))
    const made = merge(answerOf(items), [reply], "branchingFactor=1")
    assert.deepStrictEqual(outline(made), [
      [0, rootUri],
      [1, mid.uri],
      [2, reply.uri],
      [1, next.uri]
    ])
    assert.deepStrictEqual(
      [valueOf(made, mid).post.replyCount, valueOf(made, mid).moreReplies],
      [2, 1]
    )
    const byOp = answerOf([item(root, 0), item(mid, 1), item(replyOf(12, bob, mid.uri), 2)])
    const kept = merge(byOp, [reply], "branchingFactor=1")
    assert.deepStrictEqual(outline(kept), outline(byOp))
    assert.deepStrictEqual(
      [valueOf(kept, mid).post.replyCount, valueOf(kept, mid).moreReplies],
      [2, 1]
    )
  })

  it("all replies to the anchor are shown, whatever the branching factor", () => {
    const answer = answerOf([item(root, 0), item(replyOf(11, carol), 1)])
    const made = merge(answer, [own(20, replyTo(rootUri))], "branchingFactor=0")
    assert.deepStrictEqual([made.thread.length, valueOf(made, root).moreReplies], [3, 0])
  })

  it("a reply appears after the OP's and before all others, in the requested order", () => {
    const op = replyOf(11, bob)
    const liked = replyOf(12, alice, rootUri, { likeCount: 3 })
    const mine = replyOf(13, alice)
    const other = replyOf(14, carol, rootUri, { likeCount: 9 })
    const reply = own(20, replyTo(rootUri))
    const places = {
      "": [op, liked, mine, reply, other],
      "sort=oldest": [op, liked, mine, reply, other],
      "sort=newest": [op, reply, mine, liked, other],
      "sort=top": [op, liked, reply, mine, other],
      "sort=toString": [op, reply, mine, liked, other]
    }
    for (const [query, expected] of Object.entries(places)) {
      const before = expected.filter((post) => post !== reply)
      const answer = answerOf([item(root, 0), ...before.map((post) => item(post, 1))])
      const [, ...replies] = outline(merge(answer, [reply], query))
      assert.deepStrictEqual(
        replies,
        expected.map(({ uri }) => [1, uri]),
        query
      )
    }
  })

  it("the list stays the same object if the replies belong elsewhere, or are shown", () => {
    const blocked = {
      uri: uriOf(11, bob),
      depth: 1,
      value: {
        $type: "app.bsky.unspecced.defs#threadItemBlocked",
        author: { did: bob }
      }
    }
    const there = own(20, replyTo(rootUri))
    const answer = answerOf([item(root, 0), item({ ...shown(20), uri: there.uri }, 1), blocked])
    const posts = [
      there,
      own(21, replyTo(uriOf(11, bob), rootUri)),
      own(22, replyTo(rootUri, uriOf(99, bob))),
      own(23, replyTo(uriOf(99, bob), rootUri)),
      own(24)
    ]
    assert.strictEqual(merge(answer, posts.toReversed()), answer)
  })

  it("a response of another shape gets no replies", () => {
    for (const answer of [undefined, [], {}, { thread: 1 }, { thread: [1, {}, { depth: 0 }] }]) {
      assert.deepStrictEqual(missingInItems(answer, localOf([own(1, replyTo(rootUri))])), [])
    }
  })
})

const wish = (query: string) => Object.values(wishOf(new URLSearchParams(query)))

describe("a response about an unknown anchor", () => {
  it("isAnchorUnknown recognizes an error and a list that says so", () => {
    const $type = "app.bsky.unspecced.defs#threadItemNotFound"
    const lost = (depth: number) => ({ uri: rootUri, depth, value: { $type } })
    assertValid(nsid, answerOf([lost(0)]))
    assert.isTrue(isAnchorUnknown({ error: "NotFound", message: "Post not found" }))
    assert.isTrue(isAnchorUnknown(answerOf([lost(0)])))
    for (const other of [
      undefined,
      {},
      { error: "InvalidRequest" },
      answerOf([lost(-1), item(root, 0)])
    ]) {
      assert.isFalse(isAnchorUnknown(other))
    }
  })

  it("wishOf returns the requested options, or the lexicon's defaults and limits", () => {
    assert.deepStrictEqual(wish(""), [true, 6, 10, "oldest"])
    assert.deepStrictEqual(wish("above=false&below=0&branchingFactor=1&sort=top"), [
      false,
      0,
      1,
      "top"
    ])
    assert.deepStrictEqual(wish("below=999&branchingFactor=999"), [true, 20, 100, "oldest"])
    assert.deepStrictEqual(wish("below=-1&branchingFactor=x"), [true, 6, 10, "oldest"])
  })
})
