import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DevicesSql from "../../src/layers/DevicesSql.ts"
import * as HostDatabaseD1 from "../../src/layers/HostDatabaseD1.ts"
import * as OAuthRequestsSql from "../../src/layers/OAuthRequestsSql.ts"
import * as PasskeyOwnersSql from "../../src/layers/PasskeyOwnersSql.ts"
import { devicesContract } from "../contract/devices.suite.ts"
import { oauthRequestsContract } from "../contract/oauthRequests.suite.ts"
import { passkeyOwnersContract } from "../contract/passkeyOwners.suite.ts"
import { DIRECTORY } from "./world.ts"

const tables = [
  "oauth_request",
  "oauth_code",
  "oauth_used_once",
  "device",
  "device_account",
  "passkey_owner"
]

// The first query of each test finds no tables, and makes them.
const emptied = Layer.effectDiscard(
  Effect.promise(() =>
    DIRECTORY.batch(tables.map((table) => DIRECTORY.prepare(`DROP TABLE IF EXISTS ${table}`)))
  )
)

const database = HostDatabaseD1.layer(DIRECTORY).pipe(Layer.provide(emptied))

oauthRequestsContract("D1", () => OAuthRequestsSql.layer.pipe(Layer.provideMerge(database)))

devicesContract("D1", () =>
  Layer.merge(DevicesSql.layer, OAuthRequestsSql.layer).pipe(Layer.provideMerge(database))
)

passkeyOwnersContract("D1", () => PasskeyOwnersSql.layer.pipe(Layer.provide(database)))
