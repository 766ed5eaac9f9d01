import { assert, describe, it } from "@effect/vitest"
import { alice, item, own, replyTo, shown, uriOf } from "./fixture.ts"
import { answerOf, carol, merge, outline, type Seen } from "./lists.ts"

const numbered = (index: number, of: number) => ({
  opThread: true,
  opThreadPostIndex: index,
  opThreadPostCount: of
})

/** Each item's position in the OP's thread, if it has one. */
const line = (answer: Seen) =>
  answer.thread.map(({ value }: Seen) =>
    value.opThread ? [value.opThreadPostIndex, value.opThreadPostCount] : []
  )

describe("a thread's list when the caller is its OP", () => {
  const first = { ...shown(10, alice), replyCount: 0 }
  const firstUri = uriOf(10)
  const second = { ...shown(11, alice, replyTo(firstUri)), replyCount: 0 }
  const secondUri = uriOf(11)

  it("new posts that extend the OP's thread are numbered and counted in every item", () => {
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

  it("the OP's thread starts with the first reply to the root, and other replies aren't part of it", () => {
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

  it("replies to a post in the middle, or to others, don't extend the OP's thread", () => {
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

  it("nothing is numbered if the AppView doesn't, or doesn't show the thread's end", () => {
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

  it("posts that reply to each other in a circle are ignored", () => {
    const one = own(20, replyTo(uriOf(21), firstUri))
    const two = own(21, replyTo(uriOf(20), firstUri))
    const answer = answerOf([item(first, 0, { opThread: true })])
    assert.strictEqual(merge(answer, [two, one]), answer)
  })
})
