import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { isAdmin, parseAuthorization } from "../auth/authorization.ts"
import { Denied } from "../services/Auth.ts"
import type { Caller } from "../services/Authority.ts"
import type { Settings } from "../services/Config.ts"
import type { ServiceTokens } from "../services/ServiceTokens.ts"

/** Who shows nothing. */
export const anonymous: Caller = { kind: "anonymous" }

/** The failure of a caller who should have shown something. */
export const missing = () =>
  new Denied({ error: "AuthMissing", message: "Authentication Required" })

/** The administrator, by Basic credentials. */
export const adminCaller = Effect.fnUntraced(function* (
  { adminPassword }: Pick<Settings, "adminPassword">,
  authorization: string | undefined
): Effect.fn.Return<Caller, Denied> {
  const presented = parseAuthorization(authorization)
  if (presented === undefined) return yield* missing()
  if (presented.scheme === "basic" && isAdmin(presented.value, Redacted.value(adminPassword))) {
    return { kind: "admin" }
  }
  return yield* new Denied({
    error: "AuthenticationRequired",
    message: "Administrator credentials are required"
  })
})

/** The account that issued a service token to this server for one method. */
export const serviceCaller = Effect.fnUntraced(function* (
  serviceTokens: ServiceTokens["Service"],
  { serviceDid }: Pick<Settings, "serviceDid">,
  token: string,
  use: { readonly lxm: string; readonly repeatable?: boolean }
): Effect.fn.Return<Extract<Caller, { readonly kind: "service" }>, Denied> {
  const audiences = [serviceDid, `${serviceDid}#atproto_pds`]
  const { iss } = yield* serviceTokens.verify(token, { audiences, ...use }).pipe(
    Effect.catchTags({
      BadServiceToken: ({ error, message }) =>
        error === "MissingJwt" ? missing() : new Denied({ error, message }),
      IdentityUnavailable: () =>
        new Denied({ error: "BadJwtIss", message: "jwt iss could not be resolved just now" })
    })
  )
  return { kind: "service", did: iss }
})
