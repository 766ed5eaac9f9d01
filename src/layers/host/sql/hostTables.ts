import * as Layer from "effect/Layer"
import * as CodeOwnersSql from "../../mail/CodeOwnersD1.ts"
import * as DevicesSql from "../../oauth/DevicesD1.ts"
import * as DirectorySql from "../../accounts/DirectoryD1.ts"
import * as OAuthRequestsSql from "../../oauth/OAuthRequestsD1.ts"
import * as PasskeyOwnersSql from "../../factors/PasskeyOwnersD1.ts"

/** Everything that the host keeps in its database. */
export const layer = Layer.mergeAll(
  DirectorySql.layer,
  CodeOwnersSql.layer,
  OAuthRequestsSql.layer,
  DevicesSql.layer,
  PasskeyOwnersSql.layer
)
