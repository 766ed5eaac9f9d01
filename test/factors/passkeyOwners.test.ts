import * as Layer from "effect/Layer"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import * as PasskeyOwnersD1 from "../../src/layers/factors/PasskeyOwnersD1.ts"
import { passkeyOwnersContract } from "./passkeyOwners.contract.ts"

passkeyOwnersContract("node:sqlite", () =>
  PasskeyOwnersD1.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:")))
)
