import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as CodeOwnersSql from "../../src/layers/CodeOwnersSql.ts"
import * as HostDatabaseD1 from "../../src/layers/HostDatabaseD1.ts"
import * as KeysMaster from "../../src/layers/KeysMaster.ts"
import * as ReservedKeysSql from "../../src/layers/ReservedKeysSql.ts"
import { codeOwnersContract } from "../contract/codeOwners.suite.ts"
import { reservedKeysContract } from "../contract/reservedKeys.suite.ts"
import { configLayer } from "../node/auth/support.ts"
import { DIRECTORY } from "./world.ts"

const tables = ["reset_code", "reserved_key"]

// The first query of each test finds no tables, and makes them.
const emptied = Layer.effectDiscard(
  Effect.promise(() =>
    DIRECTORY.batch(tables.map((table) => DIRECTORY.prepare(`DROP TABLE IF EXISTS ${table}`)))
  )
)

const database = HostDatabaseD1.layer(DIRECTORY).pipe(Layer.provide(emptied))

codeOwnersContract("D1", () => CodeOwnersSql.layer.pipe(Layer.provide([database, configLayer])))

const keys = KeysMaster.layer(Redacted.make(new Uint8Array(32).fill(5)))

reservedKeysContract("D1", () =>
  ReservedKeysSql.layer.pipe(Layer.provide([database, keys, configLayer]))
)
