import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HostDatabaseNode from "../../../src/layers/host/sql/HostDatabaseNode.ts"
import * as KeysMaster from "../../../src/layers/identity/KeysMaster.ts"
import { HostDatabase } from "../../../src/layers/host/sql/HostDatabase.ts"
import * as ReservedKeysD1 from "../../../src/layers/identity/ReservedKeysD1.ts"
import { budget } from "../../../src/layers/identity/ReservedKeysD1.ts"
import { ReservedKeys } from "../../../src/services/identity/ReservedKeys.ts"
import { configLayer } from "../../sessions/accountServices.ts"
import { reservedKeysContract } from "./reservedKeys.contract.ts"

const keys = KeysMaster.layer({
  masterKey: Redacted.make(new Uint8Array(32).fill(5)),
  masterKeyPrevious: undefined
})

reservedKeysContract("node:sqlite", () =>
  ReservedKeysD1.layer.pipe(Layer.provide([HostDatabaseNode.layer(":memory:"), keys, configLayer]))
)

describe("ReservedKeys beyond the limit", () => {
  it.effect("reserve fails at the limit and drops no key", () =>
    Effect.gen(function* () {
      const reserved = yield* ReservedKeys
      const key = yield* reserved.reserve("did:plc:alice")
      const { sql } = yield* HostDatabase
      yield* sql.unsafe(`INSERT INTO reserved_key SELECT 'did:plc:' || n, 'key', 'x', 0
        FROM (WITH RECURSIVE up (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM up WHERE n < ${budget.keys})
        SELECT n FROM up)`)
      const refused = yield* Effect.flip(reserved.reserve("did:plc:bob"))
      assert.strictEqual(refused._tag, "ReservedKeysFull")
      assert.strictEqual(yield* reserved.reserve("did:plc:alice"), key)
      yield* reserved.remove("did:plc:2")
      assert.isString(yield* reserved.reserve("did:plc:bob"))
    }).pipe(
      Effect.provide(
        ReservedKeysD1.layer.pipe(
          Layer.provide([keys, configLayer]),
          Layer.provideMerge(HostDatabaseNode.layer(":memory:"))
        )
      )
    )
  )
})
