import * as Layer from "effect/Layer"
import * as DevicesSql from "../../../src/layers/oauth/DevicesD1.ts"
import * as HostDatabaseNode from "../../../src/layers/host/sql/HostDatabaseNode.ts"
import * as OAuthRequestsSql from "../../../src/layers/oauth/OAuthRequestsD1.ts"
import { devicesContract } from "./devices.contract.ts"

devicesContract("node:sqlite", () =>
  Layer.merge(DevicesSql.layer, OAuthRequestsSql.layer).pipe(
    Layer.provideMerge(HostDatabaseNode.layer(":memory:"))
  )
)
