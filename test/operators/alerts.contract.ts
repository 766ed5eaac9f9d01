import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { complete, type Finding } from "../../src/core/operators/alerts.ts"
import { Alerts } from "../../src/services/operators/Alerts.ts"
import { WatchNotes } from "../../src/services/operators/WatchNotes.ts"

const late: Finding = { kind: "backup-late", subject: "", detail: "no backup" }
const down: Finding = { kind: "dependency-down", subject: "r2", detail: "it failed" }
const every = ["backup-late", "dependency-down"] as const
const minute = 60_000

/** The tests that every Alerts must pass; `fresh` creates one over an empty database. */
export const alertsContract = (name: string, fresh: () => Layer.Layer<Alerts | WatchNotes>) => {
  const check = (
    title: string,
    body: (alerts: Alerts["Service"]) => Effect.Effect<void, unknown, WatchNotes>
  ) =>
    it.effect(title, () => Alerts.pipe(Effect.flatMap(body), Effect.provide(Layer.fresh(fresh()))))

  const listed = (alerts: Alerts["Service"], past = true) =>
    Effect.map(alerts.list({ past, limit: 10 }), (all) =>
      all.map(({ kind, begunAt, seenAt, endedAt }) => [kind, begunAt, seenAt, endedAt])
    )

  describe(`the alerts over ${name}`, () => {
    check("an alert begins once, lasts, ends, and can begin again", (alerts) =>
      Effect.gen(function* () {
        yield* alerts.note(complete(every, [late]), 1000)
        yield* alerts.note(complete(every, [late]), 2000)
        assert.deepStrictEqual(yield* listed(alerts), [["backup-late", 1000, 2000, undefined]])
        assert.deepStrictEqual(yield* alerts.summary, { at: 2000, open: { "backup-late": 1 } })
        yield* alerts.note(complete(every, []), 3000)
        assert.deepStrictEqual(yield* listed(alerts), [["backup-late", 1000, 2000, 3000]])
        assert.deepStrictEqual(yield* listed(alerts, false), [])
        yield* alerts.note(complete(every, [late]), 4000)
        assert.deepStrictEqual(yield* listed(alerts), [
          ["backup-late", 4000, 4000, undefined],
          ["backup-late", 1000, 2000, 3000]
        ])
      })
    )

    check(
      "an alert that is ended without a look stays in the list, and its end is reported",
      (alerts) =>
        Effect.gen(function* () {
          yield* alerts.note(complete(every, [late, down]), 1000)
          yield* alerts.note(complete(every, [late, down]), 400_000)
          yield* alerts.settled(yield* alerts.unreported("mail", 10), "mail", "sent")
          yield* alerts.end(down, 500_000)
          yield* alerts.end({ kind: "dependency-down", subject: "d1" }, 500_000)
          assert.deepStrictEqual(yield* listed(alerts), [
            ["backup-late", 1000, 400_000, undefined],
            ["dependency-down", 1000, 400_000, 500_000]
          ])
          const ended = yield* alerts.unreported("mail", 10)
          assert.deepStrictEqual(
            ended.map(({ kind }) => kind),
            ["dependency-down"]
          )
          yield* alerts.end(down, 600_000)
          assert.strictEqual((yield* alerts.unreported("mail", 10))[0]?.endedAt, 500_000)
          assert.strictEqual((yield* alerts.summary)?.at, 400_000)
        })
    )

    check("a look that didn't look for a kind doesn't end its alerts", (alerts) =>
      Effect.gen(function* () {
        yield* alerts.note(complete(every, [late]), 1000)
        yield* alerts.note(complete(["dependency-down"], []), 2000)
        assert.deepStrictEqual(yield* listed(alerts), [["backup-late", 1000, 1000, undefined]])
      })
    )

    check("an alert shorter than its kind's patience never shows and is never reported", (alerts) =>
      Effect.gen(function* () {
        yield* alerts.note(complete(every, [down]), 0)
        assert.deepStrictEqual(yield* alerts.unreported("mail", 10), [])
        yield* alerts.note(complete(every, []), 5 * minute)
        assert.deepStrictEqual(yield* listed(alerts), [])
        yield* alerts.note(complete(every, [down]), 10 * minute)
        yield* alerts.note(complete(every, [down]), 15 * minute)
        assert.strictEqual((yield* alerts.unreported("mail", 10)).length, 1)
      })
    )

    check("each channel reports the begin and the end of an alert once", (alerts) =>
      Effect.gen(function* () {
        yield* alerts.note(complete(every, [late]), 1000)
        const begun = yield* alerts.unreported("mail", 10)
        assert.strictEqual(begun.length, 1)
        yield* alerts.settled(begun, "mail", "sent")
        assert.deepStrictEqual(yield* alerts.unreported("mail", 10), [])
        yield* alerts.settled(yield* alerts.unreported("webhook", 10), "webhook", "not sent")
        yield* alerts.note(complete(every, []), 2000)
        const ended = yield* alerts.unreported("mail", 10)
        assert.deepStrictEqual(
          ended.map(({ endedAt }) => endedAt),
          [2000]
        )
        yield* alerts.settled(ended, "mail", "sent")
        yield* alerts.settled(yield* alerts.unreported("webhook", 10), "webhook", "not sent")
        assert.deepStrictEqual(yield* alerts.unreported("mail", 10), [])
        assert.deepStrictEqual(yield* alerts.unreported("webhook", 10), [])
        const [reported] = yield* alerts.list({ past: true, limit: 1 })
        assert.deepStrictEqual(
          [reported?.reportedBegin, reported?.reportedEnd],
          [["mail"], ["mail"]]
        )
      })
    )

    check("an alert that was reported elsewhere is added once", (alerts) =>
      Effect.gen(function* () {
        const alert = { ...down, begunAt: 0, seenAt: 10 * minute, reportedBegin: ["mail"] as const }
        yield* alerts.add(alert)
        yield* alerts.add(alert)
        assert.strictEqual((yield* alerts.list({ past: true, limit: 10 })).length, 1)
        assert.deepStrictEqual(yield* alerts.unreported("mail", 10), [])
        assert.strictEqual((yield* alerts.unreported("webhook", 10)).length, 1)
      })
    )

    check("a hundred alerts begin and end in one look each", (alerts) =>
      Effect.gen(function* () {
        const found = Array.from({ length: 100 }, (_, at) => ({ ...late, subject: `${at}` }))
        yield* alerts.note(complete(every, found), 1000)
        assert.deepStrictEqual((yield* alerts.summary)?.open, { "backup-late": 100 })
        yield* alerts.note(complete(every, []), 2000)
        assert.deepStrictEqual((yield* alerts.summary)?.open, {})
      })
    )

    it.effect("a note has the last value that was set", () =>
      Effect.gen(function* () {
        const notes = yield* WatchNotes
        assert.isUndefined(yield* notes.get("begun"))
        yield* notes.set("begun", { at: 1 })
        yield* notes.set("begun", { at: 2 })
        assert.deepStrictEqual(yield* notes.get("begun"), { at: 2 })
      }).pipe(Effect.provide(Layer.fresh(fresh())))
    )
  })
}
