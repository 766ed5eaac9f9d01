import * as Layer from "effect/Layer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HostDatabaseD1 from "../../src/layers/host/sql/HostDatabaseD1.ts"
import * as AlertsD1 from "../../src/layers/operators/AlertsD1.ts"
import * as AuditLogD1 from "../../src/layers/operators/AuditLogD1.ts"
import * as HostCountsD1 from "../../src/layers/operators/HostCountsD1.ts"
import * as OperatorsD1 from "../../src/layers/operators/OperatorsD1.ts"
import * as WatchNotesD1 from "../../src/layers/operators/WatchNotesD1.ts"
import { HostCounts } from "../../src/services/operators/HostCounts.ts"
import { DIRECTORY } from "../host/workerdWorld.ts"
import { alertsContract } from "./alerts.contract.ts"
import { auditLogContract } from "./auditLog.contract.ts"
import { operatorsContract } from "./operators.contract.ts"

/** A layer over D1 without the tables of the tests before. */
const emptied = <A>(
  layer: Layer.Layer<A, never, Layer.Success<ReturnType<typeof HostDatabaseD1.layer>>>,
  ...tables: ReadonlyArray<string>
): Layer.Layer<A> =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() =>
        DIRECTORY.batch(tables.map((table) => DIRECTORY.prepare(`DROP TABLE IF EXISTS ${table}`)))
      ),
      () => layer.pipe(Layer.provide(HostDatabaseD1.layer(DIRECTORY)))
    )
  )

alertsContract("D1", () =>
  emptied(AlertsD1.layer.pipe(Layer.provideMerge(WatchNotesD1.layer)), "alert", "watch_note")
)

auditLogContract("D1", () => emptied(AuditLogD1.layer, "audit", "audit_head"))

operatorsContract("D1", () => emptied(OperatorsD1.layer, "operator"))

describe("the counts over D1", () => {
  it.effect("take counts the tables that exist, and last returns what was kept", () =>
    Effect.gen(function* () {
      const counts = yield* HostCounts
      assert.isUndefined(yield* counts.last)
      yield* Effect.promise(() =>
        DIRECTORY.batch([
          DIRECTORY.prepare(OperatorsD1.tables.join("")),
          DIRECTORY.prepare("DELETE FROM operator"),
          DIRECTORY.prepare(
            "INSERT INTO operator (did, role, added_at, added_by) VALUES ('a', 'admin', 0, 'b')"
          )
        ])
      )
      const taken = yield* counts.take(1_700_000_000_000)
      assert.deepStrictEqual(taken.operators, { admin: 1 })
      yield* counts.keep(taken)
      assert.deepStrictEqual(yield* counts.last, taken)
    }).pipe(Effect.provide(emptied(HostCountsD1.layer, "host_count")))
  )
})
