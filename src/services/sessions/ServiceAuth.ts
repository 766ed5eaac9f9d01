import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  isCreateAccount,
  isForModerators,
  isProtected,
  mayHoldToken,
  type TokenHolder
} from "../../core/sessions/methods.ts"
import { isSupportedDid, parseDidReference } from "../../core/identity/did.ts"
import { Denied } from "./Auth.ts"
import { Config } from "../host/Config.ts"
import type * as Soon from "../host/Soon.ts"
import { ServiceTokens } from "./ServiceTokens.ts"
import { Signer } from "../identity/Signer.ts"

/** The requested expiration is past, or too far away. */
export class BadExpiration extends Schema.TaggedError<BadExpiration>()("BadExpiration", {
  message: Schema.String
}) {}

/** No token is issued for this audience or method. */
export class ServiceTokenRefused extends Schema.TaggedError<ServiceTokenRefused>()(
  "ServiceTokenRefused",
  { message: Schema.String }
) {}

/** The token that a session requests; `exp` is in seconds. */
export interface ServiceTokenRequest {
  /** The issuing account. */
  readonly did: string
  readonly holder: TokenHolder
  readonly aud: string
  readonly lxm?: string | undefined
  readonly exp?: number | undefined
}

const expirationFault = ({ exp, lxm }: ServiceTokenRequest, now: number): string | undefined => {
  if (exp === undefined) return undefined
  if (exp < now) return "expiration is in past"
  if (exp > now + 3600) {
    return "cannot request a token with an expiration more than an hour in the future"
  }
  return lxm === undefined && exp > now + 60
    ? "cannot request a method-less token with an expiration more than a minute in the future"
    : undefined
}

const audienceFault = (aud: string): string | undefined => {
  const audience = parseDidReference(aud)
  return audience !== undefined && isSupportedDid(audience.did)
    ? undefined
    : "aud must be a did:plc or did:web, with or without a #service"
}

const methodFault = (
  { aud, lxm, holder }: ServiceTokenRequest,
  serviceDid: string
): string | undefined => {
  // The account may be a moderator of this server, and its token for such a method reads other
  // accounts.
  const isModeration =
    lxm !== undefined && isForModerators(lxm) && parseDidReference(aud)?.did === serviceDid
  if (lxm !== undefined && (isProtected(lxm) || isModeration)) {
    return `cannot request a service auth token for the following protected method: ${lxm}`
  }
  return mayHoldToken(holder, lxm)
    ? undefined
    : `insufficient access to request a service auth token for the following method: ${lxm ?? "any"}`
}

type Refused = Denied | ServiceTokenRefused | BadExpiration

/** Issues a token with which the account authenticates to another service. */
export const issueServiceToken = (
  request: ServiceTokenRequest,
  services: Context.Context<Config | ServiceTokens | Signer>
): Soon.Soon<string, Refused> => {
  const { did, aud, lxm, exp, holder } = request
  const now = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
  if (holder === "takendown" && !isCreateAccount(lxm ?? "")) {
    return Result.fail(new Denied({ error: "InvalidToken", message: "Bad token method" }))
  }
  const { serviceDid } = Context.get(services, Config)
  const refused = audienceFault(aud) ?? methodFault(request, serviceDid)
  if (refused !== undefined) return Result.fail(new ServiceTokenRefused({ message: refused }))
  const expired = expirationFault(request, Math.floor(now / 1000))
  if (expired !== undefined) return Result.fail(new BadExpiration({ message: expired }))
  const claims = {
    iss: did,
    aud,
    ...(lxm === undefined ? {} : { lxm }),
    ...(exp === undefined ? {} : { exp })
  }
  const signer = Context.get(services, Signer)
  return Context.get(services, ServiceTokens).createSoon(signer, claims, now)
}
