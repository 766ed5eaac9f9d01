import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Config } from "../services/host/Config.ts"
import * as HostedIdentities from "../services/identity/HostedIdentities.ts"
import * as Readiness from "../services/host/Readiness.ts"
import * as SignUp from "../services/accounts/SignUp.ts"
import * as AddressLimits from "./limits/AddressLimits.ts"
import * as AuthHost from "./sessions/AuthHost.ts"
import * as HostKeysD1 from "./host/HostKeysD1.ts"
import * as HandleClaimsOutgoing from "./identity/HandleClaimsOutgoing.ts"
import * as KnownAccountsDirectory from "./accounts/KnownAccountsDirectory.ts"
import * as Logging from "./host/Logging.ts"
import * as OAuthClientsOutgoing from "./oauth/OAuthClientsOutgoing.ts"
import * as PermissionSetsD1 from "./oauth/PermissionSetsD1.ts"
import * as ReservedKeysD1 from "./identity/ReservedKeysD1.ts"
import * as ProxyTargetsResolver from "./proxy/ProxyTargetsResolver.ts"
import * as RelayStatusOutgoing from "./stream/RelayStatusOutgoing.ts"
import * as TracesOtlp from "./operators/TracesOtlp.ts"
import * as sharedServices from "./host/sharedServices.ts"

/** Resolves hosted accounts without the network; asks outside if the directory is unavailable. */
const local = Effect.gen(function* () {
  const hosted = yield* HostedIdentities.HostedIdentities
  const config = yield* Config
  return (didOrHandle: string) =>
    hosted
      .find(didOrHandle)
      .pipe(
        Effect.map(Option.fromUndefinedOr),
        Effect.catch(sharedServices.orOthers(didOrHandle, config))
      )
})

const oauthClients = Layer.unwrap(
  Effect.map(Config, ({ devAllowHosts: allowHosts }) => OAuthClientsOutgoing.layer({ allowHosts }))
)

/** The Worker's services apart from the objects, the directory and the blob store. */
export const layer = Layer.mergeAll(
  AuthHost.layer,
  SignUp.layer,
  AddressLimits.layer(),
  oauthClients,
  HandleClaimsOutgoing.layer,
  HostKeysD1.layer,
  PermissionSetsD1.layer,
  ProxyTargetsResolver.layer,
  Readiness.layer,
  RelayStatusOutgoing.layer,
  TracesOtlp.layer({ reports: true }),
  Logging.layer
).pipe(
  Layer.provideMerge(Layer.merge(ReservedKeysD1.layer, KnownAccountsDirectory.layer)),
  Layer.provideMerge(sharedServices.layer(local)),
  Layer.provideMerge(HostedIdentities.layer)
)
