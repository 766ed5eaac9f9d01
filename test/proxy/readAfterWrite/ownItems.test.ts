import { assert, describe, it } from "@effect/vitest"
import type { LocalPost } from "../../../src/core/proxy/local.ts"
import { getPostThreadV2 } from "../../../src/core/proxy/threadMethods.ts"
import {
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

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into threads of every shape
type Seen = any

const rootUri = uriOf(10, bob)
const first = own(20, replyTo(rootUri))
const second = own(21, replyTo(first.uri, rootUri))
const third = own(22, replyTo(second.uri, rootUri))
const replies = [third, second, first]

/** The AppView's response for the post that the caller answered. */
const above = {
  thread: [item(shown(10), 0, { opThread: true })],
  threadgate: { uri: uriOf(10, bob), labels: [] },
  hasOtherReplies: true
}

const show = (
  posts: ReadonlyArray<LocalPost>,
  anchor: string,
  answer: unknown,
  query = {}
): Seen => {
  const params = new URLSearchParams({ anchor, ...query })
  const local = localOf(posts)
  const made = getPostThreadV2.view(
    getPostThreadV2.own(params, local)!,
    answer,
    viewingOf(local, answer),
    params
  )
  assertValid(getPostThreadV2.lxm, made)
  return made
}

const outline = (answer: Seen): Seen => answer.thread.map(({ depth, uri }: Seen) => [depth, uri])

/** A thread of three own posts, with these parameters. */
const asked = (query: string) => {
  const params = new URLSearchParams(`anchor=${third.uri}&${query}`)
  return getPostThreadV2.own(params, localOf(replies))
}

describe("a list for a thread that the AppView doesn't know", () => {
  it("the list has the caller's replies below the anchor, and its parents above", () => {
    const made = show(replies, second.uri, above)
    assert.deepStrictEqual(outline(made), [
      [-2, rootUri],
      [-1, first.uri],
      [0, second.uri],
      [1, third.uri]
    ])
    assert.deepStrictEqual(
      made.thread.map(({ value }: Seen) => [
        value.post.replyCount,
        value.moreReplies,
        value.moreParents,
        value.opThread
      ]),
      [
        [3, 0, false, true],
        [1, 0, false, false],
        [1, 0, false, false],
        [0, 0, false, false]
      ]
    )
    assert.deepStrictEqual([made.threadgate, made.hasOtherReplies], [above.threadgate, false])
  })

  it("the list has what the app expects after publishing a thread: all its posts, and nothing above", () => {
    const start = own(30)
    const next = own(31, replyTo(start.uri))
    const last = own(32, replyTo(next.uri, start.uri))
    const query = { above: "false", below: "2", branchingFactor: "1" }
    const made = show([last, next, start], start.uri, undefined, query)
    assert.deepStrictEqual(outline(made), [
      [0, start.uri],
      [1, next.uri],
      [2, last.uri]
    ])
    assert.deepStrictEqual(
      made.thread.map(({ value }: Seen) => [value.opThreadPostIndex, value.opThreadPostCount]),
      [
        [1, 3],
        [2, 3],
        [3, 3]
      ]
    )
    const alone = show([start], start.uri, undefined, { above: "false", below: "0" })
    assert.deepStrictEqual(outline(alone), [[0, start.uri]])
    assert.isUndefined(alone.thread[0].value.opThreadPostIndex)
    assert.isTrue(alone.thread[0].value.opThread)
  })

  it("the list requests the parent of the caller's highest post, unless nothing above is wanted", () => {
    assert.strictEqual(asked("")?.above, rootUri)
    assert.strictEqual(asked("above=true")?.above, rootUri)
    const only = asked("above=false")
    assert.deepStrictEqual([only?.above, only?.parents], [undefined, []])
  })

  it("the list indicates more parents if they are unknown", () => {
    const made = show(replies, second.uri, undefined)
    assert.deepStrictEqual(outline(made), [
      [-1, first.uri],
      [0, second.uri],
      [1, third.uri]
    ])
    assert.deepStrictEqual(
      made.thread.map(({ value }: Seen) => value.moreParents),
      [true, false, false]
    )
  })

  it("the list shows a deleted or blocked parent as such", () => {
    const $type = "app.bsky.unspecced.defs#threadItemNotFound"
    const gone = { thread: [{ uri: rootUri, depth: 0, value: { $type } }], hasOtherReplies: false }
    const made = show(replies, first.uri, gone)
    assert.deepStrictEqual([made.thread[0].depth, made.thread[0].value], [-1, { $type }])
    assert.isFalse(made.thread[1].value.moreParents)
  })

  it("the list stops at a post of another conversation, and has none of its replies", () => {
    const other = { ...above, thread: [item(shown(10, bob, replyTo(uriOf(9, bob))), 0)] }
    const stray = own(23, replyTo(second.uri, uriOf(9, bob)))
    const made = show([stray, ...replies], second.uri, other)
    assert.deepStrictEqual(outline(made), [
      [-1, first.uri],
      [0, second.uri],
      [1, third.uri]
    ])
    assert.isTrue(made.thread[0].value.moreParents)
    assert.isUndefined(made.threadgate)
  })

  it("the list continues the numbers of a shown OP thread of the caller's", () => {
    const numbers = { opThread: true, opThreadPostIndex: 1, opThreadPostCount: 2 }
    const one = shown(1, "did:plc:aliceaaaaaaaaaaaaaaaaaaa")
    const two = shown(2, "did:plc:aliceaaaaaaaaaaaaaaaaaaa", replyTo(uriOf(1)))
    const shownAbove = {
      thread: [item(one, -1, numbers), item(two, 0, { ...numbers, opThreadPostIndex: 2 })],
      hasOtherReplies: false
    }
    const three = own(20, replyTo(uriOf(2), uriOf(1)))
    const made = show([three], three.uri, shownAbove)
    assert.deepStrictEqual(
      made.thread.map(({ depth, value }: Seen) => [
        depth,
        value.opThreadPostIndex,
        value.opThreadPostCount
      ]),
      [
        [-2, 1, 3],
        [-1, 2, 3],
        [0, 3, 3]
      ]
    )
    const unseen = show([three], three.uri, undefined, { above: "false" })
    assert.deepStrictEqual(
      [unseen.thread[0].value.opThread, unseen.thread[0].value.moreParents],
      [true, false]
    )
  })

  it("a later reply to the root isn't part of the OP's thread, although it is the anchor", () => {
    const start = own(30)
    const next = own(31, replyTo(start.uri))
    const aside = own(32, replyTo(start.uri))
    const made = show([aside, next, start], aside.uri, undefined)
    assert.deepStrictEqual(outline(made), [
      [-1, start.uri],
      [0, aside.uri]
    ])
    assert.deepStrictEqual(
      made.thread.map(({ value }: Seen) => [value.opThread, value.post.replyCount]),
      [
        [true, 2],
        [false, 0]
      ]
    )
  })

  it("the list stops where posts reply to each other in a circle", () => {
    const one = own(30, replyTo(uriOf(31)))
    const two = own(31, replyTo(uriOf(30)))
    assert.isAtMost(show([two, one], one.uri, undefined).thread.length, 2)
  })
})
