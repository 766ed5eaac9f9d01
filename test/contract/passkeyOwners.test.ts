import * as Layer from "effect/Layer"
import * as HostDatabaseNode from "../../src/layers/HostDatabaseNode.ts"
import * as PasskeyOwnersSql from "../../src/layers/PasskeyOwnersSql.ts"
import { passkeyOwnersContract } from "./passkeyOwners.suite.ts"

passkeyOwnersContract("node:sqlite", () =>
  PasskeyOwnersSql.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:")))
)
