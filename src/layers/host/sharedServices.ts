import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import { didWebHost } from "../../core/identity/did.ts"
import { isOwnHost, type OwnNames } from "../../core/identity/ownHost.ts"
import { Config } from "../../services/host/Config.ts"
import { Identity, IdentityUnavailable } from "../../services/identity/Identity.ts"
import { PlcDirectory } from "../../services/identity/PlcDirectory.ts"
import { Outgoing } from "../../services/host/Outgoing.ts"
import { lazily, part } from "../objects/lazily.ts"
import * as ServiceTokens from "../../services/sessions/ServiceTokens.ts"
import * as DpopProofsMaster from "../oauth/DpopProofsMaster.ts"
import * as IdentityResolver from "../identity/IdentityResolver.ts"
import * as KeysMaster from "../identity/KeysMaster.ts"
import * as outgoing from "./outgoing.ts"
import * as PlcHttp from "../identity/PlcHttp.ts"

/** Looks up accounts of this server, so nobody asks the network about them. */
export type Local = (
  didOrHandle: string
) => Effect.Effect<Option.Option<IdentityResolver.KnownLocally>, IdentityUnavailable>

/**
 * The result when a local look-up fails: undefined, so others are asked, unless the name is this
 * server's own.
 */
export const orOthers = (didOrHandle: string, own: OwnNames) => (cause: unknown) =>
  isOwnHost(didWebHost(didOrHandle) ?? didOrHandle, own)
    ? Effect.fail(new IdentityUnavailable({ subject: didOrHandle, cause }))
    : Effect.succeedNone

/**
 * The services of both the Worker and the accounts' objects: keys, outgoing requests, identities,
 * service auth, DPoP proofs.
 */
export const layer = <E, R>(local: Effect.Effect<Local, E, R>) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const config = yield* Config
      const { devAllowHosts: allowHosts, dohUrl, plcUrl } = config
      const identity = IdentityResolver.layer({ dohUrl, allowHosts, local: yield* local })
      return Layer.merge(
        DpopProofsMaster.layer,
        lazily(
          part(Identity, identity),
          part(Outgoing, outgoing.layer),
          part(PlcDirectory, PlcHttp.layer({ url: plcUrl })),
          part(ServiceTokens.ServiceTokens, ServiceTokens.layer)
        )
      ).pipe(Layer.provideMerge(KeysMaster.layer(config)))
    })
  )
