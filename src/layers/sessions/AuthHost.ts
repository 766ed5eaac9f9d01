import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { parseAuthorization } from "../../core/sessions/authorization.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Operators } from "../../services/operators/Operators.ts"
import type { Role } from "../../core/operators/roles.ts"
import { operatorCaller } from "../operators/operatorCaller.ts"
import { Auth, type Credentials, Denied, type OAuthDenied } from "../../services/sessions/Auth.ts"
import type { Authority, Caller } from "../../services/sessions/Authority.ts"
import { Config } from "../../services/host/Config.ts"
import { RequestOrigin } from "../../services/host/RequestOrigin.ts"
import { ServiceTokens } from "../../services/sessions/ServiceTokens.ts"
import * as Callers from "./judge.ts"

/**
 * Authenticates callers of the host's own methods: the administrator, moderation services, and
 * service auth of accounts that move in.
 *
 * Sessions belong to account objects: a method here that requires one rejects everybody.
 */
export const layer: Layer.Layer<Auth, never, Config | ServiceTokens | Operators | Accounts> =
  Layer.effect(
    Auth,
    Effect.gen(function* () {
      const config = yield* Config
      const serviceTokens = yield* ServiceTokens
      const operators = yield* Operators
      const accounts = yield* Accounts

      /** The password of a request was compared when the request was counted. */
      const adminCaller = (authorization: string | undefined): Effect.Effect<Caller, Denied> =>
        Effect.flatMap(RequestOrigin, ({ operator }) =>
          operator === "password"
            ? Effect.succeed({ kind: "admin" } as const)
            : Callers.adminCaller(config, authorization)
        )

      const serviceCaller = Effect.fnUntraced(function* (
        authorization: string | undefined,
        lxm: string
      ): Effect.fn.Return<Caller, Denied> {
        const presented = parseAuthorization(authorization)
        if (presented?.scheme !== "bearer") return yield* Callers.missing()
        return yield* Callers.serviceCaller(serviceTokens, config, presented.value, { lxm })
      })

      /** Without a configured moderation service, no token is accepted. */
      const moderatorCaller = (authorization: string | undefined, lxm: string) => {
        const presented = parseAuthorization(authorization)
        return presented?.scheme === "bearer" && config.moderators.length > 0
          ? Callers.moderatorCaller(serviceTokens, config, presented.value, lxm)
          : adminCaller(authorization)
      }

      const byScheme = (authorization: string | undefined, nsid: string) => {
        const scheme = parseAuthorization(authorization)?.scheme
        if (scheme === "basic") return adminCaller(authorization)
        return scheme === undefined
          ? Effect.succeed(Callers.anonymous)
          : serviceCaller(authorization, nsid)
      }

      const operatorOr = (
        credentials: Credentials,
        role: Role,
        others: Effect.Effect<Caller, Denied>
      ): Effect.Effect<Caller, Denied | OAuthDenied> =>
        Effect.flatMap(operatorCaller({ operators, accounts }, credentials, role), (operator) =>
          operator === undefined ? others : Effect.succeed(operator)
        )

      return Auth.of({
        recheck: Result.succeed,
        judge: (credentials, authority: Authority, nsid) => {
          const { authorization } = credentials
          switch (authority.kind) {
            case "none":
            // The account's object authenticates in the call that the method makes.
            case "object":
              return Result.succeed(Callers.anonymous)
            case "optional":
              return Effect.orElseSucceed(adminCaller(authorization), () => Callers.anonymous)
            case "admin":
              return operatorOr(credentials, authority.role ?? "admin", adminCaller(authorization))
            case "moderator":
              return operatorOr(
                credentials,
                authority.role ?? "moderator",
                moderatorCaller(authorization, nsid)
              )
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
