import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import {
  administratorPassword,
  isAdmin,
  parseAuthorization
} from "../../core/sessions/authorization.ts"
import { Denied } from "../../services/sessions/Auth.ts"
import type { Caller } from "../../services/sessions/Authority.ts"
import type { Settings } from "../../services/host/Config.ts"
import type { ServiceTokens, ServiceTokenUse } from "../../services/sessions/ServiceTokens.ts"

/** A caller without credentials. */
export const anonymous: Caller = { kind: "anonymous" }

/** The failure of a caller who must authenticate. */
export const missing = () =>
  new Denied({ error: "AuthMissing", message: "Authentication Required" })

/** The administrator, with Basic credentials. */
export const adminCaller = Effect.fnUntraced(function* (
  { adminPassword }: Pick<Settings, "adminPassword">,
  authorization: string | undefined
): Effect.fn.Return<Caller, Denied> {
  const presented = parseAuthorization(authorization)
  if (presented === undefined) return yield* missing()
  const given = administratorPassword(presented)
  if (given !== undefined && isAdmin(given, Redacted.value(adminPassword))) return { kind: "admin" }
  return yield* new Denied({
    error: "AuthenticationRequired",
    message: "Administrator credentials are required"
  })
})

type Service = Pick<Settings, "serviceDid">
type Use = Omit<ServiceTokenUse, "audiences">

/** The issuer of service auth to this server for one method. */
const issuerOf = (
  serviceTokens: ServiceTokens["Service"],
  { serviceDid }: Service,
  token: string,
  use: Use
) =>
  serviceTokens
    .verify(token, { audiences: [serviceDid, `${serviceDid}#atproto_pds`], ...use })
    .pipe(
      Effect.map(({ iss }) => iss),
      Effect.catchTags({
        BadServiceToken: ({ error, message }) =>
          error === "MissingJwt" ? missing() : new Denied({ error, message }),
        IdentityUnavailable: () =>
          new Denied({ error: "BadJwtIss", message: "jwt iss could not be resolved just now" }),
        OAuthStoreUnavailable: (cause) =>
          Effect.andThen(
            Effect.logWarning("a service token could not be used", cause),
            new Denied({ error: "BadJwt", message: "jwt could not be looked up just now" })
          )
      })
    )

/** The account that issued service auth to this server for one method. */
export const serviceCaller: (
  serviceTokens: ServiceTokens["Service"],
  config: Service,
  token: string,
  use: Pick<Use, "lxm" | "repeatable">
) => Effect.Effect<Extract<Caller, { readonly kind: "service" }>, Denied> = Effect.fnUntraced(
  function* (serviceTokens, config, token, use) {
    return { kind: "service", did: yield* issuerOf(serviceTokens, config, token, use) }
  }
)

/**
 * A configured moderation service, which signs as an account or as a labeler.
 *
 * Spec: XRPC, inter-service authentication.
 */
export const moderatorCaller: (
  serviceTokens: ServiceTokens["Service"],
  config: Service & Pick<Settings, "moderators">,
  token: string,
  lxm: string
) => Effect.Effect<Caller, Denied> = Effect.fnUntraced(
  function* (serviceTokens, config, token, lxm) {
    const issuers = config.moderators.flatMap((did) => [did, `${did}#atproto_labeler`])
    const use = { lxm, issuers, keyIds: ["atproto", "atproto_label"] }
    return { kind: "moderator", did: yield* issuerOf(serviceTokens, config, token, use) }
  }
)
