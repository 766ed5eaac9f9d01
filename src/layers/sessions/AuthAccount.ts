import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { type Authorization, parseAuthorization } from "../../core/sessions/authorization.ts"
import { parseJwt, parseKnownJwt } from "../../core/sessions/jwt.ts"
import { isByModerator } from "../../core/sessions/serviceJwt.ts"
import { isForeign, type Level } from "../../core/sessions/sessionToken.ts"
import type { Credentials } from "../../services/sessions/Auth.ts"
import { type Account, AccountStore } from "../../services/accounts/AccountStore.ts"
import { PendingMigration, continueMigration } from "../../services/accounts/PendingMigration.ts"
import { Auth, type Denied, type OAuthDenied } from "../../services/sessions/Auth.ts"
import type { Authority, Caller, SessionLevel } from "../../services/sessions/Authority.ts"
import { Config } from "../../services/host/Config.ts"
import * as Soon from "../../services/host/Soon.ts"
import type { DpopProofs } from "../../services/oauth/DpopProofs.ts"
import { OAuthSessions } from "../../services/oauth/OAuthSessions.ts"
import { ServiceTokens } from "../../services/sessions/ServiceTokens.ts"
import { AppPasswords } from "../../services/sessions/AppPasswords.ts"
import { isOwnToken } from "../../core/sessions/bearerToken.ts"
import { OwnTokens } from "../../services/sessions/OwnTokens.ts"
import { type Session, Sessions } from "../../services/sessions/Sessions.ts"
import * as Callers from "./judge.ts"
import { checkStanding, deny, levelNow, rechecking } from "./standing.ts"
import * as OAuthCallers from "../oauth/judgeApp.ts"

type SessionAuthority = Extract<Authority, { readonly kind: "session" }>

const rank: Readonly<Record<SessionLevel, number>> = { standard: 0, privileged: 1, full: 2 }

/** Whether a session's level suffices for the method, whatever the account's status. */
const reaches = (level: Exclude<Level, "scoped">, authority: SessionAuthority): boolean =>
  level === "takendown" ? authority.takendown === true : rank[level] >= rank[authority.level]

/** False if a retry with our nonce could succeed. */
const isFinal = (denied: Denied | OAuthDenied): denied is Denied =>
  denied.error !== "use_dpop_nonce"

/** The token in a `Bearer` header; rejects other schemes. */
const bearerToken = (presented: Authorization | undefined): Result.Result<string, Denied> => {
  if (presented === undefined) return Result.fail(Callers.missing())
  return presented.scheme === "bearer"
    ? Result.succeed(presented.value)
    : deny("InvalidToken", "Unexpected authorization type")
}

/** An app password or an access token with a scope: it may do what an app with it may. */
const scopedCaller = (
  account: Account,
  session: string,
  granted: string,
  authority: SessionAuthority
): Result.Result<Caller, Denied> =>
  Result.flatMap(checkStanding(account, authority, false), () =>
    authority.oauth === "no" || authority.level === "full"
      ? deny("Forbidden", "This credential may not do this, whatever its scope")
      : Result.succeed({ kind: "oauth", did: account.did, session, clientId: undefined, granted })
  )

type Needs =
  | AccountStore
  | PendingMigration
  | Sessions
  | AppPasswords
  | OwnTokens
  | OAuthSessions
  | DpopProofs
  | ServiceTokens
  | Config

/**
 * Authenticates callers in the account's object: sessions, OAuth apps, the account's service auth,
 * the administrator.
 */
export const layer: Layer.Layer<Auth, never, Needs> = Layer.effect(
  Auth,
  Effect.gen(function* () {
    const accounts = yield* AccountStore
    const pending = yield* PendingMigration
    const sessions = yield* Sessions
    const appPasswords = yield* AppPasswords
    const ownTokens = yield* OwnTokens
    const serviceTokens = yield* ServiceTokens
    const config = yield* Config
    const clock = yield* Clock.Clock
    const judgeApp = yield* OAuthCallers.make
    const recheck = rechecking({ accounts, sessions, apps: yield* OAuthSessions, ownTokens })

    const continued = Effect.provideService(continueMigration, PendingMigration, pending)

    /** The account, and the token in a `Bearer` header. */
    const presentedIn = (
      credentials: Credentials
    ): Result.Result<{ readonly account: Account; readonly token: string }, Denied> =>
      Result.flatMap(bearerToken(parseAuthorization(credentials.authorization)), (token) => {
        const account = accounts.peek()
        return account === undefined
          ? deny("AccountNotFound", "Account not found")
          : Result.succeed({ account, token })
      })

    /** A token that the account issued for this method. */
    const serviceCaller = Effect.fnUntraced(function* (
      account: Account,
      token: string,
      lxm: string,
      repeatable: boolean
    ): Effect.fn.Return<Caller, Denied> {
      const use = { lxm, repeatable }
      const caller = yield* Callers.serviceCaller(serviceTokens, config, token, use)
      if (caller.did === account.did) return caller
      return yield* Effect.fromResult(deny("UntrustedIss", "Untrusted issuer"))
    })

    /** An OAuth app, which must use the `DPoP` scheme. */
    const oauthCaller = (
      token: string,
      credentials: Credentials,
      authority: SessionAuthority
    ): Soon.Soon<Caller, Denied | OAuthDenied> => {
      const account = accounts.peek()
      if (account === undefined) return OAuthCallers.invalidToken("Account not found")
      return Soon.flatMap(judgeApp(account.did, token, credentials), (caller) =>
        Result.flatMap(checkStanding(account, authority, false), () =>
          authority.oauth === "no"
            ? deny("Forbidden", "OAuth credentials are not supported for this endpoint")
            : Result.succeed(caller)
        )
      )
    }

    /** An access token that the owner made. */
    const tokenCaller = (account: Account, token: string, authority: SessionAuthority) =>
      Effect.flatMap(ownTokens.use(account.did, token), (found) =>
        Effect.fromResult(
          found === undefined
            ? deny("InvalidToken", "The access token was revoked or has expired")
            : scopedCaller(account, found.name, found.scope, authority)
        )
      )

    /** A session that its owner or an app password opened. */
    const ownCaller = (
      account: Account,
      { id, level, appPassword }: Session,
      authority: SessionAuthority
    ): Soon.Soon<Caller, Denied> => {
      if (level === "scoped") {
        const scope = appPasswords.scopeOf(appPassword ?? "")
        return scope === undefined
          ? deny("InvalidToken", "Bad token scope")
          : scopedCaller(account, id, scope, authority)
      }
      if (!reaches(level, authority)) return deny("InvalidToken", "Bad token scope")
      return Soon.flatMap(levelNow(account, level, authority), (reached) => {
        const caller: Caller = { kind: "session", did: account.did, session: id, level: reached }
        return account.deactivatedAt === undefined
          ? Result.succeed(caller)
          : Effect.as(continued, caller)
      })
    }

    const bearerCaller = (
      account: Account,
      token: string,
      authority: SessionAuthority,
      nsid: string
    ): Soon.Soon<Caller, Denied> => {
      const jwt = parseKnownJwt(token)
      if (authority.moderator === true && jwt !== undefined && isByModerator(jwt, config)) {
        return Callers.moderatorCaller(serviceTokens, config, token, nsid)
      }
      if (isOwnToken(token)) return tokenCaller(account, token, authority)
      if (authority.service === true && jwt !== undefined && isForeign(jwt)) {
        return Effect.tap(serviceCaller(account, token, nsid, true), () =>
          Effect.fromResult(checkStanding(account, authority, false))
        )
      }
      const now = clock.currentTimeMillisUnsafe()
      return Soon.flatMap(sessions.checkAccess(account.did, jwt, now), (id) => {
        const session = sessions.find(id)
        return session === undefined
          ? deny("ExpiredToken", "Token has been revoked")
          : ownCaller(account, session, authority)
      })
    }

    const sessionCaller = (
      credentials: Credentials,
      authority: SessionAuthority,
      nsid: string
    ): Soon.Soon<Caller, Denied | OAuthDenied> => {
      const presented = parseAuthorization(credentials.authorization)
      return presented?.scheme === "dpop"
        ? oauthCaller(presented.value, credentials, authority)
        : Soon.flatMap(presentedIn(credentials), ({ account, token }) =>
            bearerCaller(account, token, authority, nsid)
          )
    }

    const adminCaller = ({ authorization }: Credentials) =>
      Callers.adminCaller(config, authorization)

    /** Public methods use credentials only to show more to the owner and the administrator. */
    const optionalCaller = (
      credentials: Credentials,
      nsid: string
    ): Soon.Soon<Caller, OAuthDenied> => {
      const scheme = parseAuthorization(credentials.authorization)?.scheme
      if (scheme === undefined) return Result.succeed(Callers.anonymous)
      const judged: Soon.Soon<Caller, Denied | OAuthDenied> =
        scheme === "basic" ? adminCaller(credentials) : sessionCaller(credentials, ownerReads, nsid)
      // An app with an old nonce retries with the new one; as anonymous it would see less than it
      // may.
      return Soon.orElse(judged, (denied) =>
        isFinal(denied) ? Result.succeed(Callers.anonymous) : Result.fail(denied)
      )
    }

    const refreshCaller = (credentials: Credentials, expired: boolean): Soon.Soon<Caller, Denied> =>
      Soon.flatMap(presentedIn(credentials), ({ account: { did }, token }) =>
        Effect.map(sessions.checkRefresh(did, parseJwt(token), { expired }), (checked): Caller => ({
          kind: "refresh",
          did,
          ...checked
        }))
      )

    return Auth.of({
      recheck,
      judge: (credentials, authority, nsid) => {
        switch (authority.kind) {
          case "none":
            return Result.succeed(Callers.anonymous)
          case "optional":
            return optionalCaller(credentials, nsid)
          case "session":
            return sessionCaller(credentials, authority, nsid)
          case "refresh":
            return refreshCaller(credentials, authority.expired === true)
          case "service":
            return Soon.flatMap(presentedIn(credentials), ({ account, token }) =>
              serviceCaller(account, token, nsid, false)
            )
          case "admin":
            return adminCaller(credentials)
          case "signup":
          case "moderator":
          case "object":
            return deny("Forbidden", "This method belongs to the host")
        }
      }
    })
  })
)

const ownerReads: SessionAuthority = {
  kind: "session",
  level: "standard",
  oauth: "any",
  takendown: true
}
