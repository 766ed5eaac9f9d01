import * as Layer from "effect/Layer"
import * as CodeOwnersSql from "./CodeOwnersSql.ts"
import * as DevicesSql from "./DevicesSql.ts"
import * as DirectorySql from "./DirectorySql.ts"
import * as OAuthRequestsSql from "./OAuthRequestsSql.ts"
import * as PasskeyOwnersSql from "./PasskeyOwnersSql.ts"

/** Everything that the host keeps in its database. */
export const layer = Layer.mergeAll(
  DirectorySql.layer,
  CodeOwnersSql.layer,
  OAuthRequestsSql.layer,
  DevicesSql.layer,
  PasskeyOwnersSql.layer
)
