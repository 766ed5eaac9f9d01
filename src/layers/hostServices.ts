import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Config } from "../services/Config.ts"
import * as HostedIdentities from "../services/HostedIdentities.ts"
import * as Readiness from "../services/Readiness.ts"
import * as SignUp from "../services/SignUp.ts"
import * as AddressLimits from "./AddressLimits.ts"
import * as AuthHost from "./AuthHost.ts"
import * as HostKeysSql from "./HostKeysSql.ts"
import * as HandleClaimsOutgoing from "./HandleClaimsOutgoing.ts"
import * as KnownAccountsDirectory from "./KnownAccountsDirectory.ts"
import * as Logging from "./Logging.ts"
import * as OAuthClientsOutgoing from "./OAuthClientsOutgoing.ts"
import * as PermissionSetsSql from "./PermissionSetsSql.ts"
import * as ReservedKeysSql from "./ReservedKeysSql.ts"
import * as ProxyTargetsResolver from "./ProxyTargetsResolver.ts"
import * as sharedServices from "./sharedServices.ts"

/** Whoever lives here is known without the network; what cannot be told just now is asked outside. */
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

/** What the Worker has besides the objects, the directory and the blob store. */
export const layer = Layer.mergeAll(
  AuthHost.layer,
  SignUp.layer,
  AddressLimits.layer(),
  oauthClients,
  HandleClaimsOutgoing.layer,
  HostKeysSql.layer,
  PermissionSetsSql.layer,
  ProxyTargetsResolver.layer,
  Readiness.layer,
  Logging.layer
).pipe(
  Layer.provideMerge(Layer.merge(ReservedKeysSql.layer, KnownAccountsDirectory.layer)),
  Layer.provideMerge(sharedServices.layer(local)),
  Layer.provideMerge(HostedIdentities.layer)
)
