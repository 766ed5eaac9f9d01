import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { watching } from "./watchWorld.ts"

const good = { faulty: 0, isLate: false, lastGoodAt: 0, lastOutcome: "good" } as const

describe("the watch", () => {
  it.effect(
    "a late backup is reported once when it begins and once when it ends, over restarts",
    () =>
      watching((watched, looks) =>
        Effect.gen(function* () {
          watched.backups = good
          yield* looks(2)
          assert.deepStrictEqual(watched.mailed(), [])
          watched.backups = { ...good, isLate: true }
          yield* looks(4)
          assert.deepStrictEqual(watched.mailed(), [
            "ops@example.com: There was no good backup for 36 hours (pds.host)"
          ])
          watched.backups = good
          yield* looks(4)
          assert.deepStrictEqual(watched.mailed(), [
            "ops@example.com: Over: There was no good backup for 36 hours (pds.host)"
          ])
          const states = watched.posts.map((text) => /"state":"(\w+)"/.exec(text)?.[1])
          assert.deepStrictEqual(states, ["begun", "ended"])
        })
      )
  )

  it.effect("a new server has 36 hours for its first backup", () =>
    watching((watched, looks) =>
      Effect.gen(function* () {
        watched.backups = { faulty: 0, isLate: true }
        yield* looks(2)
        yield* TestClock.adjust("35 hours")
        yield* looks(1)
        assert.deepStrictEqual(watched.mailed(), [])
        yield* TestClock.adjust("1 hour")
        yield* looks(1)
        assert.strictEqual(watched.mailed().length, 1)
      })
    )
  )

  it.effect(
    "a reported drill that found differences or is older than 35 days is an alert until a good one follows",
    () =>
      watching((watched, looks) =>
        Effect.gen(function* () {
          const day = 86_400_000
          const title = "The last drill of the backups failed or is old (pds.host)"
          const reported = (at: number, outcome: "good" | "different") =>
            Effect.andThen(
              Effect.sync(() => (watched.backups = { ...good, drill: { at, outcome } })),
              looks()
            )
          yield* reported(10 * day, "good")
          assert.deepStrictEqual(watched.mailed(), [])
          yield* TestClock.adjust("36 days")
          yield* looks()
          assert.deepStrictEqual(watched.mailed(), [`ops@example.com: ${title}`])
          yield* reported(46 * day, "good")
          assert.deepStrictEqual(watched.mailed(), [`ops@example.com: Over: ${title}`])
          yield* reported(46 * day, "different")
          assert.deepStrictEqual(watched.mailed(), [`ops@example.com: ${title}`])
        })
      )
  )

  it.effect("a backlog that doesn't drain is reported once, and its end once", () =>
    watching((watched, looks) =>
      Effect.gen(function* () {
        watched.backlog = { accounts: 1, events: 2, since: 0 }
        yield* looks(3)
        assert.deepStrictEqual(watched.mailed(), [
          "ops@example.com: Events don't reach the stream (pds.host)"
        ])
        watched.backlog = undefined
        yield* looks(3)
        assert.deepStrictEqual(watched.mailed(), [
          "ops@example.com: Over: Events don't reach the stream (pds.host)"
        ])
      })
    )
  )

  it.effect("a full disk is reported once when it fills and once when it has room again", () =>
    watching((watched, looks) =>
      Effect.gen(function* () {
        watched.r2 = "full"
        yield* looks(3)
        const [begun = "", ...others] = watched.mailed()
        assert.deepStrictEqual(others, [])
        watched.r2 = "ok"
        yield* looks(3)
        assert.deepStrictEqual(watched.mailed(), [begun.replace(": ", ": Over: ")])
      })
    )
  )

  it.effect("a damaged backup is reported", () =>
    watching((watched, looks) =>
      Effect.gen(function* () {
        watched.backups = { ...good, faulty: 3, lastOutcome: "incomplete" }
        yield* looks(2)
        assert.deepStrictEqual(watched.mailed(), [
          "ops@example.com: A backup is incomplete or damaged (pds.host)"
        ])
      })
    )
  )

  it.effect("a dependency that fails only once is reported to nobody", () =>
    watching((watched, looks) =>
      Effect.gen(function* () {
        watched.r2 = "error"
        yield* looks(1)
        watched.r2 = "ok"
        yield* looks(2)
        assert.deepStrictEqual(watched.mailed(), [])
        watched.r2 = "error"
        yield* looks(3)
        assert.strictEqual(watched.mailed().length, 1)
        watched.r2 = "ok"
        yield* looks(3)
        assert.strictEqual(watched.mailed().length, 1)
      })
    )
  )

  it.effect(
    "a failing database is reported once, and its end once, although alerts are kept there",
    () =>
      watching((watched, looks) =>
        Effect.gen(function* () {
          yield* looks(1)
          watched.d1 = "error"
          yield* looks(5)
          assert.deepStrictEqual(watched.mailed(), [
            "ops@example.com: A dependency doesn't respond (pds.host)"
          ])
          assert.strictEqual(watched.posts.length, 1)
          watched.d1 = "ok"
          yield* looks(3)
          assert.deepStrictEqual(watched.mailed(), [
            "ops@example.com: Over: A dependency doesn't respond (pds.host)"
          ])
          assert.strictEqual(watched.posts.length, 2)
          assert.strictEqual(watched.hostNotes.size, 0)
        })
      )
  )

  it.effect("reporting is repeated until it succeeds, for each channel alone", () =>
    watching((watched, looks) =>
      Effect.gen(function* () {
        watched.isMailDown = true
        watched.backups = { ...good, isLate: true }
        yield* looks(3)
        assert.deepStrictEqual([watched.mailed().length, watched.posts.length], [0, 1])
        watched.isMailDown = false
        watched.isWebhookDown = true
        yield* looks(3)
        assert.deepStrictEqual([watched.mailed().length, watched.posts.length], [1, 1])
        watched.backups = good
        yield* looks(2)
        assert.deepStrictEqual([watched.mailed().length, watched.posts.length], [1, 1])
        watched.isWebhookDown = false
        yield* looks(2)
        assert.deepStrictEqual([watched.mailed().length, watched.posts.length], [0, 2])
      })
    )
  )

  it.effect("the attempts to report an alert end after a day", () =>
    watching((watched, looks) =>
      Effect.gen(function* () {
        watched.isWebhookDown = true
        watched.backups = { ...good, isLate: true }
        yield* looks(1)
        yield* TestClock.adjust("25 hours")
        yield* looks(1)
        watched.isWebhookDown = false
        yield* looks(2)
        assert.strictEqual(watched.posts.length, 0)
      })
    )
  )
})
