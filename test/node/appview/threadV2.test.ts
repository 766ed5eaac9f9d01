import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../../src/appview/json.ts"
import type { LocalPost } from "../../../src/appview/local.ts"
import {
  insertInItems,
  isAnchorUnknown,
  missingInItems,
  wishOf
} from "../../../src/appview/threadV2.ts"
import {
  alice,
  assertValid,
  bob,
  item,
  localOf,
  own,
  replyTo,
  shown,
  uriOf,
  viewingOf
} from "./fixture.ts"

const nsid = "app.bsky.unspecced.getPostThreadV2"
const carol = "did:plc:carollllllllllllllllllll"

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into threads of every shape
type Seen = any

/** A thread as its depths and URIs, in order. */
const outline = (answer: Seen): Seen => answer.thread.map(({ depth, uri }: Seen) => [depth, uri])

const answerOf = (thread: ReadonlyArray<JsonObject>): JsonObject => ({
  thread,
  hasOtherReplies: false
})

/** The answer with alice's posts, given newest first, as these parameters want it. */
const merge = (answer: JsonObject, posts: ReadonlyArray<LocalPost>, query = ""): Seen => {
  const local = localOf(posts)
  const missing = missingInItems(answer, local)
  const wish = wishOf(new URLSearchParams(query))
  const made = insertInItems(answer, missing, viewingOf(local, answer), wish)
  assertValid(nsid, made)
  return made
}

const of = (answer: Seen, { uri }: { readonly uri: unknown }): Seen =>
  answer.thread.find((each: Seen) => each.uri === uri)?.value

const root = shown(10, bob)
const rootUri = uriOf(10, bob)

/** A reply to the root, or to another post of that thread. */
const replyOf = (number: number, did: string, parent = rootUri, more: JsonObject = {}) => ({
  ...shown(number, did, replyTo(parent, rootUri)),
  replyCount: 0,
  ...more
})

describe("a list of a thread's items that lacks the caller's new replies", () => {
  it("gets each below what it answers, one level deeper, and counts it there", () => {
    const mid = replyOf(11, carol)
    const low = replyOf(12, carol, mid["uri"] as string)
    const answer = answerOf([item(root, 0), item(mid, 1), item(low, 2)])
    const top = own(20, replyTo(rootUri))
    const below = own(21, replyTo(mid["uri"] as string, rootUri))
    const made = merge(answer, [below, top])
    assert.deepStrictEqual(outline(made), [
      [0, rootUri],
      [1, top.uri],
      [1, mid["uri"]],
      [2, below.uri],
      [2, low["uri"]]
    ])
    assert.deepStrictEqual(
      [root, mid, low].map((post) => of(made, post as Seen).post.replyCount),
      [3, 1, 0]
    )
    assert.strictEqual(of(made, top).moreReplies, 0)
    assert.strictEqual(made.hasOtherReplies, false)
  })

  it("gets a reply to a reply that is new itself, at the end too", () => {
    const first = own(20, replyTo(rootUri))
    const second = own(21, replyTo(first.uri, rootUri))
    const made = merge(answerOf([item(root, 0)]), [second, first])
    assert.deepStrictEqual(outline(made), [
      [0, rootUri],
      [1, first.uri],
      [2, second.uri]
    ])
    assert.strictEqual(of(made, first).post.replyCount, 1)
  })

  it("only counts one that answers a post above the anchor", () => {
    const anchor = replyOf(11, carol)
    const made = merge(answerOf([item(root, -1), item(anchor, 0)]), [own(20, replyTo(rootUri))])
    assert.deepStrictEqual(outline(made), [
      [-1, rootUri],
      [0, anchor.uri]
    ])
    assert.strictEqual(of(made, root as Seen).post.replyCount, 3)
    assert.strictEqual(of(made, root as Seen).moreReplies, 0)
  })

  it("only counts one that is lower than its caller asked for", () => {
    const mid = replyOf(11, carol)
    const answer = answerOf([item(root, 0), item(mid, 1)])
    const reply = own(20, replyTo(mid.uri as string, rootUri))
    const made = merge(answer, [reply], "below=1")
    assert.deepStrictEqual(outline(made), outline(answer))
    assert.deepStrictEqual([of(made, mid).post.replyCount, of(made, mid).moreReplies], [1, 1])
    const none = merge(answerOf([item(root, 0)]), [own(20, replyTo(rootUri))], "below=0")
    assert.deepStrictEqual([none.thread.length, of(none, root as Seen).moreReplies], [1, 1])
  })

  it("only counts one where the app view has left out all replies, having gone low enough", () => {
    const mid = replyOf(11, carol, rootUri, { replyCount: 2 })
    const lowest = answerOf([item(root, 0), item(mid, 1, { moreReplies: 2 })])
    const reply = own(20, replyTo(mid.uri as string, rootUri))
    const made = merge(lowest, [reply], "below=20&branchingFactor=1")
    assert.deepStrictEqual(outline(made), outline(lowest))
    assert.deepStrictEqual([of(made, mid).post.replyCount, of(made, mid).moreReplies], [3, 3])
    const hidden = answerOf([item(root, 0), item(mid, 1, { moreReplies: 1 })])
    assert.strictEqual(merge(hidden, [reply], "branchingFactor=1").thread.length, 3)
  })

  it("shows no more replies to a reply than wanted: the last goes, with all below it", () => {
    const mid = replyOf(11, carol, rootUri, { replyCount: 1 })
    const low = replyOf(12, bob, mid.uri as string, {
      author: { did: carol, handle: "carol.test" }
    })
    const lower = replyOf(13, carol, low.uri)
    const next = replyOf(14, carol)
    const items = [item(root, 0), item(mid, 1), item(low, 2), item(lower, 3), item(next, 1)]
    const reply = own(20, replyTo(mid.uri as string, rootUri))
    const made = merge(answerOf(items), [reply], "branchingFactor=1")
    assert.deepStrictEqual(outline(made), [
      [0, rootUri],
      [1, mid.uri],
      [2, reply.uri],
      [1, next.uri]
    ])
    assert.deepStrictEqual([of(made, mid).post.replyCount, of(made, mid).moreReplies], [2, 1])
    const byOp = answerOf([
      item(root, 0),
      item(mid, 1),
      item(replyOf(12, bob, mid.uri as string), 2)
    ])
    const kept = merge(byOp, [reply], "branchingFactor=1")
    assert.deepStrictEqual(outline(kept), outline(byOp))
    assert.deepStrictEqual([of(kept, mid).post.replyCount, of(kept, mid).moreReplies], [2, 1])
  })

  it("shows all replies to the anchor, however few are wanted of others", () => {
    const answer = answerOf([item(root, 0), item(replyOf(11, carol), 1)])
    const made = merge(answer, [own(20, replyTo(rootUri))], "branchingFactor=0")
    assert.deepStrictEqual([made.thread.length, of(made, root as Seen).moreReplies], [3, 0])
  })

  it("gets them after the OP's replies and before everybody else's, in the order that is wanted", () => {
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
      const before = expected.filter((post) => post !== reply) as ReadonlyArray<JsonObject>
      const answer = answerOf([item(root, 0), ...before.map((post) => item(post, 1))])
      const [, ...replies] = outline(merge(answer, [reply], query))
      assert.deepStrictEqual(
        replies,
        expected.map(({ uri }) => [1, uri]),
        query
      )
    }
  })

  it("stays the same object where they belong elsewhere, or are there", () => {
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

  it("is nothing that an answer of another shape has", () => {
    for (const answer of [undefined, [], {}, { thread: 1 }, { thread: [1, {}, { depth: 0 }] }]) {
      assert.deepStrictEqual(missingInItems(answer, localOf([own(1, replyTo(rootUri))])), [])
    }
  })
})

const numbered = (index: number, of: number) => ({
  opThread: true,
  opThreadPostIndex: index,
  opThreadPostCount: of
})

/** Each item's place in the OP's thread, as far as it has one. */
const line = (answer: Seen) =>
  answer.thread.map(({ value }: Seen) =>
    value.opThread ? [value.opThreadPostIndex, value.opThreadPostCount] : []
  )

describe("the list of a thread whose OP is the caller", () => {
  const first = { ...shown(10, alice), replyCount: 0 }
  const firstUri = uriOf(10)
  const second = { ...shown(11, alice, replyTo(firstUri)), replyCount: 0 }
  const secondUri = uriOf(11)

  it("numbers what goes on with their thread, and counts it everywhere", () => {
    const answer = answerOf([item(first, 0, numbered(1, 2)), item(second, 1, numbered(2, 2))])
    const third = own(20, replyTo(secondUri, firstUri))
    const fourth = own(21, replyTo(third.uri, firstUri))
    const made = merge(answer, [fourth, third])
    assert.deepStrictEqual(line(made), [
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4]
    ])
    const short = merge(answer, [fourth, third], "below=1")
    assert.deepStrictEqual(line(short), [
      [1, 4],
      [2, 4]
    ])
  })

  it("begins with the first answer to the first post; another answer is not part of it", () => {
    const answer = answerOf([item(first, 0, { opThread: true })])
    const two = own(20, replyTo(firstUri))
    const aside = own(21, replyTo(firstUri))
    const three = own(22, replyTo(two.uri, firstUri))
    const made = merge(answer, [three, aside, two], "sort=newest")
    assert.deepStrictEqual(outline(made), [
      [0, firstUri],
      [1, two.uri],
      [2, three.uri],
      [1, aside.uri]
    ])
    assert.deepStrictEqual(line(made), [[1, 3], [2, 3], [3, 3], []])
  })

  it("does not take for it what answers a post in its middle, or somebody else", () => {
    const carols = { ...shown(12, carol, replyTo(firstUri)), replyCount: 0 }
    const answer = answerOf([
      item(first, 0, numbered(1, 2)),
      item(second, 1, numbered(2, 2)),
      item(carols, 1)
    ])
    const aside = own(20, replyTo(firstUri))
    const polite = own(21, replyTo(uriOf(12, carol), firstUri))
    const made = merge(answer, [polite, aside])
    assert.deepStrictEqual(outline(made), [
      [0, firstUri],
      [1, secondUri],
      [1, aside.uri],
      [1, uriOf(12, carol)],
      [2, polite.uri]
    ])
    assert.deepStrictEqual(line(made), [[1, 2], [2, 2], [], [], []])
  })

  it("numbers nothing where the app view does not, or shows no end of their thread", () => {
    const unnumbered = answerOf([
      item(first, 0, { opThread: true }),
      item(second, 1, { opThread: true })
    ])
    const third = own(20, replyTo(secondUri, firstUri))
    const none = [undefined, undefined]
    assert.deepStrictEqual(line(merge(unnumbered, [third])), [none, none, none])
    const part = answerOf([item(first, 0, numbered(1, 5)), item(second, 1, numbered(2, 5))])
    assert.deepStrictEqual(line(merge(part, [third])), [[1, 5], [2, 5], []])
  })

  it("does not follow posts that answer each other in a circle", () => {
    const one = own(20, replyTo(uriOf(21), firstUri))
    const two = own(21, replyTo(uriOf(20), firstUri))
    const answer = answerOf([item(first, 0, { opThread: true })])
    assert.strictEqual(merge(answer, [two, one]), answer)
  })
})

const wish = (query: string) => Object.values(wishOf(new URLSearchParams(query)))

describe("the answer for an anchor that is unknown", () => {
  it("is an error, or a list that says so", () => {
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

  it("knows what is wanted, or the lexicon's defaults and limits", () => {
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
