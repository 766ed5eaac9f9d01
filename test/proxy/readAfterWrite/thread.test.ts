import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../../src/core/proxy/json.ts"
import type { LocalPost } from "../../../src/core/proxy/local.ts"
import {
  insertInThread,
  isUnknown,
  levelsOf,
  missingInThread,
  ownThread,
  viewOwnThread
} from "../../../src/core/proxy/thread.ts"
import {
  assertValid,
  bob,
  localOf,
  own,
  replyTo,
  shown,
  thread,
  uriOf,
  viewingOf
} from "./fixture.ts"

const nsid = "app.bsky.feed.getPostThread"

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into threads of every shape
type Seen = any

/** A thread as its URIs: a post and its replies. */
const outline = (view: Seen): Seen => [view.post.uri, ...(view.replies ?? []).map(outline)]

const merge = (shownThread: JsonObject, posts: ReadonlyArray<LocalPost>, depth = 6): Seen => {
  const local = localOf(posts)
  const missing = missingInThread({ thread: shownThread }, local)
  const made = insertInThread(shownThread, missing, viewingOf(local), depth)
  assertValid(nsid, { thread: made })
  return made
}

const rootUri = uriOf(10, bob)
const midUri = uriOf(11, bob)

const conversation = (): JsonObject => thread(shown(10), [thread(shown(11, bob, replyTo(rootUri)))])

describe("inserting the caller's replies into a thread", () => {
  it("a reply appears below its parent and is counted there", () => {
    const top = own(20, replyTo(rootUri))
    const below = own(21, replyTo(midUri, rootUri))
    const made = merge(conversation(), [below, top])
    assert.deepStrictEqual(outline(made), [rootUri, [top.uri], [midUri, [below.uri]]])
    assert.strictEqual(made.post.replyCount, 3)
    assert.strictEqual(made.replies[1].post.replyCount, 3)
  })

  it("a reply to a new reply appears", () => {
    const first = own(20, replyTo(rootUri))
    const second = own(21, replyTo(first.uri, rootUri))
    const made = merge(conversation(), [second, first])
    assert.deepStrictEqual(outline(made), [rootUri, [first.uri, [second.uri]], [midUri]])
    assert.strictEqual(made.replies[0].post.replyCount, 1)
  })

  it("replies appear in a part of the conversation", () => {
    const reply = own(20, replyTo(midUri, rootUri))
    const part = thread(shown(11, bob, replyTo(rootUri)))
    assert.deepStrictEqual(outline(merge(part, [reply])), [midUri, [reply.uri]])
  })

  it("the thread stays the same object if the replies belong elsewhere", () => {
    const shownThread = conversation()
    const other = own(20, replyTo(uriOf(99, bob)))
    const elsewhere = own(21, replyTo(uriOf(98, bob), rootUri))
    assert.strictEqual(merge(shownThread, [other, elsewhere, own(22)]), shownThread)
  })

  it("replies that the thread already shows aren't repeated", () => {
    const reply = own(20, replyTo(rootUri))
    const shownThread = thread(shown(10), [thread({ ...shown(20), uri: reply.uri })])
    assert.strictEqual(merge(shownThread, [reply]), shownThread)
  })

  it("replies stay within the requested depth", () => {
    const top = own(20, replyTo(rootUri))
    const below = own(21, replyTo(midUri, rootUri))
    assert.deepStrictEqual(outline(merge(conversation(), [below, top], 1)), [
      rootUri,
      [top.uri],
      [midUri]
    ])
    const shownThread = conversation()
    assert.strictEqual(merge(shownThread, [below, top], 0), shownThread)
  })

  it("blocked and missing posts stay where they are", () => {
    const blocked = {
      $type: "app.bsky.feed.defs#blockedPost",
      uri: midUri,
      blocked: true,
      author: { did: bob }
    }
    const reply = own(20, replyTo(midUri, rootUri))
    const shownThread = thread(shown(10), [blocked])
    assert.strictEqual(merge(shownThread, [reply]), shownThread)
  })

  it("a response of another shape gets no replies", () => {
    for (const answer of [undefined, [], {}, { thread: 1 }, { thread: { $type: "other" } }]) {
      assert.deepStrictEqual(missingInThread(answer, localOf([own(1, replyTo(rootUri))])), [])
    }
  })
})

describe("a thread that the AppView doesn't know", () => {
  const first = own(20, replyTo(rootUri))
  const second = own(21, replyTo(first.uri, rootUri))
  const third = own(22, replyTo(second.uri, rootUri))
  const local = localOf([third, second, first])

  const show = (uri: string, above: unknown, depth = 6, parentHeight = 80): Seen => {
    const made = viewOwnThread(ownThread(uri, local, parentHeight)!, above, viewingOf(local), depth)
    assertValid(nsid, made)
    return made["thread"]
  }

  const asked = (height: number) => {
    const { above, parentHeight } = ownThread(third.uri, local, height)!
    return [above, parentHeight]
  }

  it("ownThread finds the caller's posts by DID or handle, and no others", () => {
    assert.strictEqual(ownThread(second.uri, local, 80)?.post, second)
    const byHandle = second.uri.replace(/did:[^/]+/, "Alice.test")
    assert.strictEqual(ownThread(byHandle, local, 80)?.post, second)
    for (const uri of [
      rootUri,
      uriOf(77),
      "",
      "at://",
      second.uri.replace(/did:[^/]+/, "bob.test")
    ]) {
      assert.isUndefined(ownThread(uri, local, 80))
    }
  })

  it("the thread has the caller's replies below and its parents above", () => {
    const made = show(second.uri, thread(shown(10)))
    assert.deepStrictEqual(outline(made), [second.uri, [third.uri]])
    assert.strictEqual(made.parent.post.uri, first.uri)
    assert.strictEqual(made.parent.parent.post.uri, rootUri)
  })

  it("the thread requests the parent of the caller's highest post, up to the requested height", () => {
    assert.deepStrictEqual(asked(80), [rootUri, 77])
    assert.deepStrictEqual(asked(3), [rootUri, 0])
    assert.deepStrictEqual(asked(2), [undefined, 0])
    assert.deepStrictEqual(asked(0), [undefined, 0])
  })

  it("the post is shown alone if its parent is unknown", () => {
    const made = show(first.uri, undefined, 0)
    assert.isUndefined(made.parent)
    assert.deepStrictEqual(outline(made), [first.uri])
  })

  it("the thread stops where posts reply to each other in a circle", () => {
    const one = own(30, replyTo(uriOf(31)))
    const two = own(31, replyTo(uriOf(30)))
    const circle = localOf([two, one])
    const made = ownThread(one.uri, circle, 80)!
    assert.deepStrictEqual([made.parents, made.above], [[two], undefined])
    const view = viewOwnThread(made, undefined, viewingOf(circle), 6)
    assertValid(nsid, view)
  })
})

const levels = (query: string) => Object.values(levelsOf(new URLSearchParams(query)))

describe("a response about an unknown post", () => {
  it("isUnknown recognizes an error and a thread that says so", () => {
    assert.isTrue(isUnknown({ error: "NotFound", message: "Post not found" }))
    assert.isTrue(isUnknown({ thread: { $type: "app.bsky.feed.defs#notFoundPost" } }))
    for (const other of [
      undefined,
      {},
      { error: "InvalidRequest" },
      { thread: thread(shown(1)) }
    ]) {
      assert.isFalse(isUnknown(other))
    }
  })

  it("levelsOf returns the requested levels, or the lexicon's defaults", () => {
    assert.deepStrictEqual(levels(""), [6, 80])
    assert.deepStrictEqual(levels("depth=0&parentHeight=3"), [0, 3])
    assert.deepStrictEqual(levels("depth=-1&parentHeight=x"), [6, 80])
    assert.deepStrictEqual(levels("depth=1e9"), [1000, 80])
  })
})
