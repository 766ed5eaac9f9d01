import * as Layer from "effect/Layer"
import * as DevicesSql from "../../src/layers/DevicesSql.ts"
import * as HostDatabaseNode from "../../src/layers/HostDatabaseNode.ts"
import * as OAuthRequestsSql from "../../src/layers/OAuthRequestsSql.ts"
import { devicesContract } from "./devices.suite.ts"

devicesContract("node:sqlite", () =>
  Layer.merge(DevicesSql.layer, OAuthRequestsSql.layer).pipe(
    Layer.provideMerge(HostDatabaseNode.layer(":memory:"))
  )
)
