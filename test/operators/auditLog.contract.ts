import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type AuditAct, emptyHead, faultIn } from "../../src/core/operators/auditChain.ts"
import { AuditLog } from "../../src/services/operators/AuditLog.ts"

const did = "did:plc:alice"

export const act = (more: Partial<AuditAct> = {}): AuditAct => ({
  at: 1_700_000_000_000,
  actor: "password",
  act: "com.atproto.admin.updateAccountHandle",
  status: 200,
  subject: did,
  reason: "asked for by mail",
  before: { handle: "alice.test" },
  after: { handle: "alicia.test" },
  request: "0123456789abcdef-VIE",
  ...more
})

/** The tests that every AuditLog must pass; `fresh` creates one over an empty database. */
export const auditLogContract = (name: string, fresh: () => Layer.Layer<AuditLog>) => {
  const check = (title: string, body: (log: AuditLog["Service"]) => Effect.Effect<void, unknown>) =>
    it.effect(title, () =>
      AuditLog.pipe(Effect.flatMap(body), Effect.provide(Layer.fresh(fresh())))
    )

  describe(`the audit log over ${name}`, () => {
    check("a new log is empty", (log) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* log.page({ limit: 10 }), [])
        assert.deepStrictEqual(yield* log.head, emptyHead)
      })
    )

    check("page returns the added acts in full, in a chain that verifies", (log) =>
      Effect.gen(function* () {
        const first = yield* log.append(act())
        const second = yield* log.append({ at: 2, actor: did, act: "/admin/codes", status: 400 })
        assert.deepStrictEqual(yield* log.page({ after: 0, limit: 10 }), [first, second])
        assert.deepInclude(first, act())
        assert.deepStrictEqual([first.seq, second.seq, second.prev], [1, 2, first.hash])
        assert.isUndefined(faultIn([first, second], emptyHead))
        assert.deepStrictEqual(yield* log.head, { seq: 2, hash: second.hash })
      })
    )

    check("concurrent acts get one order without a gap", (log) =>
      Effect.gen(function* () {
        yield* Effect.all(
          Array.from({ length: 12 }, (_, at) => log.append(act({ at }))),
          { concurrency: "unbounded" }
        )
        const entries = yield* log.page({ after: 0, limit: 50 })
        assert.strictEqual(new Set(entries.map(({ at }) => at)).size, 12)
        assert.isUndefined(faultIn(entries, emptyHead))
      })
    )

    check(
      "page starts at the newest entry or after a number, and filters by actor, act and subject",
      (log) =>
        Effect.gen(function* () {
          for (let at = 1; at <= 6; at++) {
            const one = at % 2 === 0 ? { actor: did, act: "a", subject: "x" } : {}
            yield* log.append(act({ at, ...one }))
          }
          const seqs = (page: Parameters<typeof log.page>[0]) =>
            Effect.map(log.page(page), (entries) => entries.map(({ seq }) => seq))
          assert.deepStrictEqual(yield* seqs({ limit: 3 }), [6, 5, 4])
          assert.deepStrictEqual(yield* seqs({ before: 4, limit: 2 }), [3, 2])
          assert.deepStrictEqual(yield* seqs({ after: 4, limit: 5 }), [5, 6])
          for (const filter of [{ actor: did }, { act: "a" }, { subject: "x" }]) {
            assert.deepStrictEqual(yield* seqs({ limit: 2, ...filter }), [6, 4])
          }
          assert.deepStrictEqual(yield* seqs({ limit: 9, subject: "nobody" }), [])
        })
    )

    check("append truncates long texts, which bounds an entry", (log) =>
      Effect.gen(function* () {
        const long = "x".repeat(10_000)
        const values = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`v${at}`, long]))
        yield* log.append({
          ...act({ reason: long, before: values, after: values, request: long }),
          actor: long,
          act: long,
          subject: long
        })
        const [entry] = yield* log.page({ limit: 1 })
        assert.isBelow(JSON.stringify(entry).length, 6 * 1024)
        assert.isUndefined(faultIn(entry === undefined ? [] : [entry], emptyHead))
      })
    )
  })
}
