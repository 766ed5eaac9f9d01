import * as Layer from "effect/Layer"
import * as DevicesSql from "./DevicesSql.ts"
import * as DirectorySql from "./DirectorySql.ts"
import * as OAuthRequestsSql from "./OAuthRequestsSql.ts"
import * as PasskeyOwnersSql from "./PasskeyOwnersSql.ts"

/** Everything that the host keeps in its database. */
export const layer = Layer.mergeAll(
  DirectorySql.layer,
  OAuthRequestsSql.layer,
  DevicesSql.layer,
  PasskeyOwnersSql.layer
)
