import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as CodeOwnersD1 from "../../src/layers/mail/CodeOwnersD1.ts"
import * as HostDatabaseD1 from "../../src/layers/host/sql/HostDatabaseD1.ts"
import * as KeysMaster from "../../src/layers/identity/KeysMaster.ts"
import * as ReservedKeysD1 from "../../src/layers/identity/ReservedKeysD1.ts"
import { codeOwnersContract } from "./codeOwners.contract.ts"
import { reservedKeysContract } from "../identity/reservedKeys.contract.ts"
import { configLayer } from "../sessions/accountServices.ts"
import { DIRECTORY } from "../host/workerdWorld.ts"

const tables = ["reset_code", "reserved_key"]

// The first query of each test finds no tables and creates them.
const emptied = Layer.effectDiscard(
  Effect.promise(() =>
    DIRECTORY.batch(tables.map((table) => DIRECTORY.prepare(`DROP TABLE IF EXISTS ${table}`)))
  )
)

const database = HostDatabaseD1.layer(DIRECTORY).pipe(Layer.provide(emptied))

codeOwnersContract("D1", () => CodeOwnersD1.layer.pipe(Layer.provide([database, configLayer])))

const keys = KeysMaster.layer({
  masterKey: Redacted.make(new Uint8Array(32).fill(5)),
  masterKeyPrevious: undefined
})

reservedKeysContract("D1", () =>
  ReservedKeysD1.layer.pipe(Layer.provide([database, keys, configLayer]))
)
