import * as Layer from "effect/Layer"
import * as DevicesD1 from "../../../src/layers/oauth/DevicesD1.ts"
import * as HostDatabaseNode from "../../../src/layers/host/sql/HostDatabaseNode.ts"
import * as OAuthRequestsD1 from "../../../src/layers/oauth/OAuthRequestsD1.ts"
import { devicesContract } from "./devices.contract.ts"

devicesContract("node:sqlite", () =>
  Layer.merge(DevicesD1.layer, OAuthRequestsD1.layer).pipe(
    Layer.provideMerge(HostDatabaseNode.layer(":memory:"))
  )
)
