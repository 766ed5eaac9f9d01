import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as RelaysNone from "../../../src/layers/RelaysNone.ts"
import {
  HibernatingSubscriber,
  unread
} from "../../../src/layers/sequencer/HibernatingSubscriber.ts"
import * as SequencerMemory from "../../../src/layers/SequencerMemory.ts"
import * as SqlStorageNode from "../../../src/layers/SqlStorageNode.ts"
import { withSeq } from "../../../src/repo/frame.ts"
import { collector, events } from "../../contract/sequencer.suite.ts"

const did = "did:example:a"

/** A socket whose consumer reads only when the test says so. */
const pausedSocket = () => {
  const { seen, add } = collector()
  let untaken: Array<() => void> = []
  const closes: Array<number> = []
  return {
    seen,
    closes,
    read: () => {
      const ready = untaken
      untaken = []
      for (const sent of ready) sent()
    },
    socket: {
      send: (frame: Uint8Array, sent: () => void) => {
        add(frame.slice())
        untaken.push(sent)
      },
      close: (code: number) => void closes.push(code)
    }
  }
}

const layers = Layer.merge(SqlStorageNode.layer(":memory:"), RelaysNone.layer)

describe("a consumer that does not keep up, in process", () => {
  it.effect("gets a replay page by page as it reads, and then goes live", () =>
    Effect.gen(function* () {
      const { service, connect } = yield* SequencerMemory.make
      const a = events(did)
      const batch = (size: number) => Array.from({ length: size }, () => a.head("3a", 10_000))
      yield* service.append(did, batch(300))
      const consumer = pausedSocket()
      connect(consumer.socket, { cursor: 0 })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(consumer.seen.length, 100)
      yield* service.append(did, batch(1))
      for (const expected of [200, 300, 301]) {
        consumer.read()
        yield* TestClock.adjust("1 second")
        assert.strictEqual(consumer.seen.length, expected)
      }
      yield* service.append(did, batch(1))
      assert.strictEqual(consumer.seen.length, 302)
      assert.deepStrictEqual(consumer.closes, [])
    }).pipe(Effect.scoped, Effect.provide(layers))
  )

  it.effect("is closed when a page of its replay is not read in 30 seconds", () =>
    Effect.gen(function* () {
      const { service, connect } = yield* SequencerMemory.make
      const a = events(did)
      yield* service.append(
        did,
        Array.from({ length: 300 }, () => a.head("3a", 10_000))
      )
      const consumer = pausedSocket()
      connect(consumer.socket, { cursor: 0 })
      yield* TestClock.adjust("29 seconds")
      assert.deepStrictEqual(consumer.closes, [])
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(consumer.closes, [1008])
      assert.strictEqual(consumer.seen.at(-1)?.body["error"], "ConsumerTooSlow")
      assert.strictEqual(consumer.seen.length, 101)
    }).pipe(Effect.scoped, Effect.provide(layers))
  )

  it.effect("is closed when too much waits for it live; the others get everything", () =>
    Effect.gen(function* () {
      const { service, connect } = yield* SequencerMemory.make
      const a = events(did)
      const [slow, quick] = [pausedSocket(), pausedSocket()]
      connect(slow.socket, {})
      connect(quick.socket, {})
      for (let at = 0; at < 40; at++) {
        yield* service.append(did, [a.head("3a", 1_000_000)])
        quick.read()
      }
      assert.deepStrictEqual(slow.closes, [1008])
      assert.strictEqual(slow.seen.at(-1)?.body["error"], "ConsumerTooSlow")
      assert.isBelow(slow.seen.length, 20)
      assert.deepStrictEqual(quick.closes, [])
      assert.strictEqual(quick.seen.length, 40)
    }).pipe(Effect.scoped, Effect.provide(layers))
  )
})

describe("a consumer on a hibernating socket", () => {
  const socketOf = () => {
    const { seen, add } = collector()
    const closes: Array<number | undefined> = []
    const socket = {
      readyState: 1,
      send: (frame: Uint8Array) => add(frame.slice()),
      close: (code?: number) => closes.push(code),
      serializeAttachment: () => {}
    }
    // SAFETY: what a subscriber uses of a socket.
    const subscriber = HibernatingSubscriber.accepted(socket as unknown as WebSocket, {
      id: "one",
      since: 0
    })
    return { seen, closes, subscriber }
  }
  const megabyte = () => {
    const { frame, seqOffset } = events(did).head("3a", 1_000_000)
    return withSeq(frame, seqOffset, 2 ** 40)
  }

  it("is closed once, as too slow, past what it may be sent without a sign that it reads", () => {
    const { seen, closes, subscriber } = socketOf()
    const frame = megabyte()
    while (subscriber.isOpen) subscriber.send(frame)
    assert.deepStrictEqual(closes, [1008])
    assert.strictEqual(seen.at(-1)?.body["error"], "ConsumerTooSlow")
    const sent = seen.slice(0, -1).reduce((sum, { size }) => sum + size, 0)
    assert.isAtLeast(sent, unread.each)
    assert.isBelow(sent, unread.each + 2_000_000)
    subscriber.send(frame)
    subscriber.close(1000, "")
    assert.deepStrictEqual(closes, [1008])
  })

  it("holds less the longer it may have read", () => {
    const { subscriber } = socketOf()
    subscriber.mayWait(1000)
    for (let at = 0; at < 20; at++) subscriber.send(megabyte())
    assert.isAbove(subscriber.mayWait(1000), 20_000_000)
    assert.isBelow(subscriber.mayWait(2000), 20_000_000 - unread.drain + 100_000)
    assert.strictEqual(subscriber.mayWait(60_000), 0)
  })
})
