import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import * as KeysMaster from "../../src/layers/identity/KeysMaster.ts"
import * as ReservedKeysSql from "../../src/layers/identity/ReservedKeysD1.ts"
import { configLayer } from "../sessions/accountServices.ts"
import { reservedKeysContract } from "./reservedKeys.contract.ts"

const keys = KeysMaster.layer(Redacted.make(new Uint8Array(32).fill(5)))

reservedKeysContract("node:sqlite", () =>
  ReservedKeysSql.layer.pipe(Layer.provide([HostDatabaseNode.layer(":memory:"), keys, configLayer]))
)
