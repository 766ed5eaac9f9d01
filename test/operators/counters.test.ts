import * as HostCountsD1 from "../../src/layers/operators/HostCountsD1.ts"
import { HostCounts } from "../../src/services/operators/HostCounts.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import * as CountersD1 from "../../src/layers/operators/CountersD1.ts"
import * as RequestMetricsAnalytics from "../../src/layers/operators/RequestMetricsAnalytics.ts"
import * as BacklogD1 from "../../src/layers/stream/BacklogD1.ts"
import { Counters, type CountersShape } from "../../src/services/operators/Counters.ts"
import { RequestMetrics } from "../../src/services/operators/RequestMetrics.ts"
import { Backlog } from "../../src/services/stream/Backlog.ts"

const over = <A>(
  layer: Layer.Layer<A, never, Layer.Success<ReturnType<typeof HostDatabaseNode.layer>>>
) => Layer.fresh(layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:"))))

describe("the host's sums", () => {
  it.effect("sums are stored together, the first at once and the next after 15 seconds", () =>
    Effect.gen(function* () {
      const counters = (yield* Counters)!
      assert.deepStrictEqual(yield* counters.sums, {})
      assert.isFalse(counters.isDue(0))
      counters.add("sign_in")
      assert.isTrue(counters.isDue(0))
      yield* counters.store
      counters.add("sign_in")
      counters.add("error")
      assert.isFalse(counters.isDue(14_999))
      assert.isTrue(counters.isDue(15_000))
      yield* TestClock.adjust("15 seconds")
      yield* counters.store
      yield* counters.store
      assert.deepStrictEqual(yield* counters.sums, { sign_in: 2, error: 1 })
    }).pipe(Effect.provide(over(CountersD1.layer)))
  )

  it.effect("requests are stored by the hour, the first at once and the next after a minute", () =>
    Effect.gen(function* () {
      const counters = (yield* Counters)!
      const add = (...statuses: ReadonlyArray<number>) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          for (const status of statuses) counters.addRequest(status, now)
        })
      yield* TestClock.adjust("59 minutes")
      yield* add(200)
      assert.isTrue(counters.isDue(59 * 60_000))
      yield* counters.store
      yield* add(304, 101, 404, 429, 503)
      assert.isFalse(counters.isDue(59 * 60_000 + 59_999))
      // A sum that is due doesn't bring the requests along.
      counters.add("sign_in")
      yield* TestClock.adjust("15 seconds")
      yield* counters.store
      assert.deepStrictEqual(yield* counters.requests(0), [
        { hour: 0, ok: 1, refused: 0, failed: 0 }
      ])
      yield* TestClock.adjust("1 minute")
      yield* add(200, 500)
      yield* counters.store
      assert.deepStrictEqual(yield* counters.requests(0), [
        { hour: 0, ok: 3, refused: 2, failed: 1 },
        { hour: 1, ok: 1, refused: 0, failed: 1 }
      ])
      assert.deepStrictEqual(yield* counters.requests(2), [])
      yield* add(200)
      yield* counters.flush
      assert.strictEqual((yield* counters.requests(1))[0]?.ok, 2)
      yield* TestClock.adjust("31 days")
      yield* counters.flush
      assert.deepStrictEqual(
        (yield* counters.requests(0)).map(({ hour }) => hour),
        [1]
      )
    }).pipe(Effect.provide(over(CountersD1.layer)))
  )

  it.effect("a process that stops in order stores what it has counted", () =>
    Effect.gen(function* () {
      const database = yield* Layer.build(HostDatabaseNode.layer(":memory:"))
      const counting = <A>(use: (counters: CountersShape) => Effect.Effect<A, unknown>) =>
        Effect.flatMap(Counters, (counters) => use(counters!)).pipe(
          Effect.provide(Layer.fresh(CountersD1.layer)),
          Effect.provideContext(database)
        )
      yield* counting((counters) =>
        Effect.sync(() => {
          counters.add("error")
          counters.addRequest(500, 0)
        })
      )
      yield* counting((counters) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* counters.sums, { error: 1 })
          assert.deepStrictEqual(yield* counters.requests(0), [
            { hour: 0, ok: 0, refused: 0, failed: 1 }
          ])
        })
      )
    })
  )

  it.effect("a request is a data point, and a dataset that fails changes nothing", () =>
    Effect.gen(function* () {
      const points: Array<AnalyticsEngineDataPoint | undefined> = []
      const point = { method: "/ready", verb: "GET", status: 200, millis: 3 }
      const write = (dataset: AnalyticsEngineDataset) =>
        Effect.map(RequestMetrics, (metrics) => metrics?.write(point)).pipe(
          Effect.provide(RequestMetricsAnalytics.layer(dataset))
        )
      yield* write({ writeDataPoint: (given) => void points.push(given) })
      yield* write({
        writeDataPoint: () => {
          throw new Error("broken")
        }
      })
      assert.deepStrictEqual(points, [
        { indexes: ["/ready"], blobs: ["/ready", "GET", "200"], doubles: [3] }
      ])
    })
  )
})

describe("the outboxes that don't drain", () => {
  it.effect("an outbox that is no longer noted has drained", () =>
    Effect.gen(function* () {
      const backlog = (yield* Backlog)!
      assert.isUndefined(yield* backlog.total(0))
      yield* backlog.note("did:plc:a", { events: 2, since: 10 }, 1000)
      yield* backlog.note("did:plc:b", { events: 3, since: 5 }, 2000)
      assert.deepStrictEqual(yield* backlog.total(0), { accounts: 2, events: 5, since: 5 })
      yield* backlog.note("did:plc:a", { events: 4, since: 10 }, 3000)
      assert.deepStrictEqual(yield* backlog.total(2500), { accounts: 1, events: 4, since: 10 })
      assert.isUndefined(yield* backlog.total(4000))
    }).pipe(
      Effect.provide(over(Layer.effectDiscard(Effect.void).pipe(Layer.merge(BacklogD1.layer))))
    )
  )
})

describe("the host's counts", () => {
  it.effect("a server without an account has no sign-ups to note, and counts nothing", () =>
    Effect.gen(function* () {
      const counts = yield* HostCounts
      assert.deepStrictEqual([...(yield* counts.signUps(0))], [])
      assert.deepStrictEqual((yield* counts.take(0)).accounts, {})
    }).pipe(
      Effect.provide(HostCountsD1.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:"))))
    )
  )
})
