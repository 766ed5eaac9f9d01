import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import { emptyHead, faultIn } from "../../src/core/operators/auditChain.ts"
import { HostDatabase } from "../../src/layers/host/sql/HostDatabase.ts"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import type { Database } from "../../src/layers/host/sql/sqlTables.ts"
import * as AuditLogD1 from "../../src/layers/operators/AuditLogD1.ts"
import { AuditLog } from "../../src/services/operators/AuditLog.ts"
import { act, auditLogContract } from "./auditLog.contract.ts"

auditLogContract("node:sqlite", () =>
  AuditLogD1.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:")))
)

/** A log of five acts, and its database; `change` modifies it by hand. */
const tampered = (change: (database: Database) => Effect.Effect<unknown, unknown, AuditLog>) =>
  Effect.gen(function* () {
    const log = yield* AuditLog
    for (let at = 1; at <= 5; at++) yield* log.append(act({ at }))
    yield* change(yield* HostDatabase)
    return { entries: yield* log.page({ after: 0, limit: 10 }), head: yield* log.head }
  }).pipe(
    Effect.provide(AuditLogD1.layer.pipe(Layer.provideMerge(HostDatabaseNode.layer(":memory:"))))
  )

describe("an audit log that somebody changed by hand", () => {
  for (const [column, value] of [
    ["actor", "did:plc:other"],
    ["subject", null],
    ["reason", "another"],
    ["before", '{"handle":"x"}'],
    ["after", '{"handle":"x"}'],
    ["status", 400],
    ["at", 9],
    ["request", "x"]
  ] as const) {
    it.effect(`verification finds a changed ${column} of an entry`, () =>
      Effect.gen(function* () {
        const { entries } = yield* tampered(
          ({ sql }) => sql`UPDATE audit SET ${sql.literal(column)} = ${value} WHERE seq = 3`
        )
        assert.deepStrictEqual(faultIn(entries, emptyHead), { seq: 3, fault: "changed" })
      })
    )
  }

  it.effect("verification finds a missing entry, and the entry after the gap", () =>
    Effect.gen(function* () {
      const { entries } = yield* tampered(({ sql }) => sql`DELETE FROM audit WHERE seq = 3`)
      assert.deepStrictEqual(faultIn(entries, emptyHead), { seq: 4, fault: "missing" })
    })
  )

  it.effect("verification finds that the newest entries are missing, even after further acts", () =>
    Effect.gen(function* () {
      const cut = ({ sql }: Database) => sql`DELETE FROM audit WHERE seq > 3`
      const { entries, head } = yield* tampered(cut)
      assert.deepStrictEqual([entries.at(-1)?.seq, head.seq], [3, 5])
      const later = yield* tampered((database) =>
        Effect.andThen(
          cut(database),
          Effect.flatMap(AuditLog, (log) => log.append(act({ at: 6 })))
        )
      )
      assert.deepStrictEqual(faultIn(later.entries, emptyHead), { seq: 6, fault: "missing" })
    })
  )
})

describe("an entry whose write failed", () => {
  /** A database that writes but then fails `losses` times, as D1 does when a response is lost. */
  const lossy = (losses: number) =>
    Layer.effect(
      HostDatabase,
      Effect.map(HostDatabase, (working) => {
        let left = losses
        const lost = new SqlError({
          reason: new UnknownError({ cause: new Error("lost"), operation: "batch" })
        })
        return HostDatabase.of({
          ...working,
          batch: (statements) =>
            Effect.flatMap(working.batch(statements), (rows) =>
              statements.length === 2 && left-- > 0 ? Effect.fail(lost) : Effect.succeed(rows)
            )
        })
      })
    ).pipe(Layer.provide(HostDatabaseNode.layer(":memory:")))

  it.effect("an entry is added once if only its response was lost", () =>
    Effect.gen(function* () {
      const log = yield* AuditLog
      yield* log.append(act())
      assert.lengthOf(yield* log.page({ limit: 10 }), 1)
    }).pipe(Effect.provide(AuditLogD1.layer.pipe(Layer.provide(lossy(1)))))
  )

  it.effect("an entry fails if the database keeps failing", () =>
    Effect.gen(function* () {
      const broken = Layer.effect(
        HostDatabase,
        Effect.map(HostDatabase, (working) =>
          HostDatabase.of({
            ...working,
            batch: () =>
              Effect.fail(
                new SqlError({
                  reason: new UnknownError({ cause: new Error("down"), operation: "batch" })
                })
              )
          })
        )
      ).pipe(Layer.provide(HostDatabaseNode.layer(":memory:")))
      const failed = yield* Effect.flip(
        Effect.flatMap(AuditLog, (log) => log.append(act())).pipe(
          Effect.provide(AuditLogD1.layer.pipe(Layer.provide(broken)))
        )
      )
      assert.strictEqual(failed._tag, "AuditUnavailable")
    })
  )
})
