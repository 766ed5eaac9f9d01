import * as Layer from "effect/Layer"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import * as PasskeyOwnersSql from "../../src/layers/factors/PasskeyOwnersD1.ts"
import { passkeyOwnersContract } from "./passkeyOwners.contract.ts"

passkeyOwnersContract("node:sqlite", () =>
  PasskeyOwnersSql.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:")))
)
