import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HostDatabaseNode from "../../src/layers/HostDatabaseNode.ts"
import * as KeysMaster from "../../src/layers/KeysMaster.ts"
import * as ReservedKeysSql from "../../src/layers/ReservedKeysSql.ts"
import { configLayer } from "../node/auth/support.ts"
import { reservedKeysContract } from "./reservedKeys.suite.ts"

const keys = KeysMaster.layer(Redacted.make(new Uint8Array(32).fill(5)))

reservedKeysContract("node:sqlite", () =>
  ReservedKeysSql.layer.pipe(Layer.provide([HostDatabaseNode.layer(":memory:"), keys, configLayer]))
)
