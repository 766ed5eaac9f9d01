import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { isAdmin, parseAuthorization } from "../auth/authorization.ts"
import { Auth, Denied } from "../services/Auth.ts"
import type { Authority, Caller } from "../services/Authority.ts"
import { Config } from "../services/Config.ts"
import { ServiceTokens } from "../services/ServiceTokens.ts"

const anonymous: Caller = { kind: "anonymous" }

const missing = new Denied({ error: "AuthMissing", message: "Authentication Required" })

/**
 * Judges callers of the host's own methods: the administrator, and service tokens of accounts on their way in.
 *
 * Sessions belong to account objects: a method here that asks for one is denied to everybody.
 */
export const layer: Layer.Layer<Auth, never, Config | ServiceTokens> = Layer.effect(
  Auth,
  Effect.gen(function* () {
    const { adminPassword, serviceDid } = yield* Config
    const serviceTokens = yield* ServiceTokens
    const audiences = [serviceDid, `${serviceDid}#atproto_pds`]

    const adminCaller = Effect.fnUntraced(function* (
      authorization: string | undefined
    ): Effect.fn.Return<Caller, Denied> {
      const presented = parseAuthorization(authorization)
      if (presented === undefined) return yield* missing
      if (presented.scheme === "basic" && isAdmin(presented.value, Redacted.value(adminPassword))) {
        return { kind: "admin" }
      }
      return yield* new Denied({
        error: "AuthenticationRequired",
        message: "Administrator credentials are required"
      })
    })

    const serviceCaller = Effect.fnUntraced(function* (
      authorization: string | undefined,
      lxm: string
    ): Effect.fn.Return<Caller, Denied> {
      const presented = parseAuthorization(authorization)
      if (presented?.scheme !== "bearer") return yield* missing
      const { iss } = yield* serviceTokens.verify(presented.value, { audiences, lxm }).pipe(
        Effect.catchTags({
          BadServiceToken: ({ error, message }) =>
            error === "MissingJwt" ? missing : new Denied({ error, message }),
          IdentityUnavailable: () =>
            new Denied({ error: "BadJwtIss", message: "jwt iss could not be resolved just now" })
        })
      )
      return { kind: "service", did: iss }
    })

    const byScheme = (authorization: string | undefined, nsid: string) => {
      const scheme = parseAuthorization(authorization)?.scheme
      if (scheme === "basic") return adminCaller(authorization)
      return scheme === undefined ? Effect.succeed(anonymous) : serviceCaller(authorization, nsid)
    }

    return Auth.of({
      authenticate: ({ authorization }, authority: Authority, nsid) => {
        switch (authority.kind) {
          case "none":
          // The account's object judges, by the call that the method makes to it.
          case "object":
            return Effect.succeed(anonymous)
          case "optional":
            return Effect.orElseSucceed(adminCaller(authorization), () => anonymous)
          case "admin":
            return adminCaller(authorization)
          case "service":
            return serviceCaller(authorization, nsid)
          case "signup":
            return byScheme(authorization, nsid)
          default:
            return Effect.fail(
              new Denied({ error: "Forbidden", message: "This method cannot be called here" })
            )
        }
      }
    })
  })
)
