import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as RelaysOutgoing from "../../src/layers/stream/RelaysOutgoing.ts"
import { HibernatingSubscriber } from "../../src/layers/stream/HibernatingSubscriber.ts"
import { unread } from "../../src/layers/stream/room.ts"
import * as SequencerMemory from "../../src/layers/stream/SequencerMemory.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { withSeq } from "../../src/core/repo/frame.ts"
import { collector, events } from "./sequencer.contract.ts"

const did = "did:example:a"

/** A socket whose consumer reads only on demand. */
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

type Paused = ReturnType<typeof pausedSocket>

const layers = Layer.merge(SqlStorageNode.layer(":memory:"), RelaysOutgoing.layerNone)

describe("a slow consumer, in process", () => {
  it.effect("a consumer gets a replay page by page as it reads, and then goes live", () =>
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

  it.effect(
    "a consumer is closed when it doesn't read a page of its replay within 30 seconds",
    () =>
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

  it.effect(
    "a live consumer is closed when too much is unsent, and the others get everything",
    () =>
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

  it.effect("the consumer furthest behind is closed when all together are too far behind", () =>
    Effect.gen(function* () {
      const { service, connect } = yield* SequencerMemory.make
      const a = events(did)
      const consumers = Array.from({ length: 8 }, pausedSocket)
      const [worst, quick, ...slow] = consumers as [Paused, Paused, ...Array<Paused>]
      connect(worst.socket, {})
      yield* service.append(did, [a.head("3a", 2_000_000)])
      for (const { socket } of [quick, ...slow]) connect(socket, {})
      // Each may be 16 MB behind, but not all of them at once.
      for (let at = 0; at < 5; at++) {
        yield* service.append(did, [a.head("3a", 1_000_000)])
        quick.read()
      }
      assert.deepStrictEqual(worst.closes, [1008])
      assert.strictEqual(worst.seen.at(-1)?.body["error"], "ConsumerTooSlow")
      assert.deepStrictEqual(
        [quick, ...slow].flatMap(({ closes }) => closes),
        []
      )
      assert.isAbove(5 * slow.length * 1_000_000, unread.replay)
    }).pipe(Effect.scoped, Effect.provide(layers))
  )
})

describe("a connection on a hibernating socket", () => {
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

  it("a reader whose room is needed is closed without an error, and owes until it replies", () => {
    const { seen, closes, subscriber } = socketOf()
    const frame = megabyte()
    for (let at = 0; at < 30; at++) subscriber.send(frame)
    assert.isAbove(subscriber.owed, 30_000_000)
    assert.deepStrictEqual(closes, [])
    subscriber.letGo()
    subscriber.send(frame)
    subscriber.letGo()
    assert.deepStrictEqual(closes, [1012])
    assert.isTrue(seen.every(({ t }) => t === "#sync"))
    assert.lengthOf(seen, 30)
    assert.isFalse(subscriber.isOpen)
    assert.isAbove(subscriber.owed, 30_000_000)
    subscriber.gone()
    assert.strictEqual(subscriber.owed, 0)
    assert.deepStrictEqual(closes, [1012])
  })
})
