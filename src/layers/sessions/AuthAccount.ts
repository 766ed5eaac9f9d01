import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { parseAuthorization } from "../../core/sessions/authorization.ts"
import { type Jwt, parseJwt, parseKnownJwt } from "../../core/sessions/jwt.ts"
import { isByModerator } from "../../core/sessions/serviceJwt.ts"
import { isForeign, type Level } from "../../core/sessions/sessionToken.ts"
import type { Credentials } from "../../services/sessions/Auth.ts"
import { type Account, AccountStore } from "../../services/accounts/AccountStore.ts"
import { missing } from "../../core/oauth/scopes.ts"
import { PendingMigration, continueMigration } from "../../services/accounts/PendingMigration.ts"
import { Auth, Denied, OAuthDenied } from "../../services/sessions/Auth.ts"
import type { Authority, Caller, SessionLevel } from "../../services/sessions/Authority.ts"
import { Config } from "../../services/host/Config.ts"
import type { DpopProofs } from "../../services/oauth/DpopProofs.ts"
import { OAuthSessions } from "../../services/oauth/OAuthSessions.ts"
import { ServiceTokens } from "../../services/sessions/ServiceTokens.ts"
import { AppPasswords } from "../../services/sessions/AppPasswords.ts"
import { isOwnToken } from "../../core/sessions/bearerToken.ts"
import { OwnTokens } from "../../services/sessions/OwnTokens.ts"
import { Sessions } from "../../services/sessions/Sessions.ts"
import * as Callers from "./judge.ts"
import { checkStanding, levelIn, rechecking } from "./standing.ts"
import * as OAuthCallers from "../oauth/judgeApp.ts"

type SessionAuthority = Extract<Authority, { readonly kind: "session" }>

const rank: Readonly<Record<SessionLevel, number>> = { standard: 0, privileged: 1, full: 2 }

const deny = (error: Denied["error"], message: string) => new Denied({ error, message })

/** Whether a session's level suffices for the method, whatever the account's status. */
const reaches = (level: Exclude<Level, "scoped">, authority: SessionAuthority): boolean =>
  level === "takendown" ? authority.takendown === true : rank[level] >= rank[authority.level]

/** False if a retry with our nonce could succeed. */
const isFinal = (denied: Denied | OAuthDenied): denied is Denied =>
  denied.error !== "use_dpop_nonce"

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

    const theAccount = Effect.suspend(() => {
      const account = accounts.peek()
      return account === undefined
        ? Effect.fail(deny("AccountNotFound", "Account not found"))
        : Effect.succeed(account)
    })

    /** The token in a `Bearer` header; rejects other schemes. */
    const bearerToken = Effect.fnUntraced(function* ({ authorization }: Credentials) {
      const presented = parseAuthorization(authorization)
      if (presented === undefined) return yield* Callers.missing()
      if (presented.scheme === "bearer") return presented.value
      return yield* deny("InvalidToken", "Unexpected authorization type")
    })

    /** The session of an access token. */
    const findSession = Effect.fnUntraced(function* (account: Account, jwt: Jwt | undefined) {
      const now = clock.currentTimeMillisUnsafe()
      const id = yield* Effect.fromResult(sessions.checkAccess(account.did, jwt, now))
      const found = sessions.find(id)
      return found ?? (yield* deny("ExpiredToken", "Token has been revoked"))
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
      if (caller.did !== account.did) return yield* deny("UntrustedIss", "Untrusted issuer")
      return caller
    })

    /** An OAuth app, which must use the `DPoP` scheme. */
    const oauthCaller = Effect.fnUntraced(function* (
      token: string,
      credentials: Credentials,
      authority: SessionAuthority
    ): Effect.fn.Return<Caller, Denied | OAuthDenied> {
      const account = accounts.peek()
      if (account === undefined) return yield* OAuthCallers.invalidToken("Account not found")
      const caller = yield* judgeApp(account.did, token, credentials)
      yield* Effect.fromResult(checkStanding(account, authority, false))
      return authority.oauth === "no"
        ? yield* deny("Forbidden", "OAuth credentials are not supported for this endpoint")
        : caller
    })

    /** An app password or an access token with a scope: it may do what an app with it may. */
    const scopedCaller = Effect.fnUntraced(function* (
      account: Account,
      session: string,
      granted: string,
      authority: SessionAuthority
    ): Effect.fn.Return<Caller, Denied> {
      yield* Effect.fromResult(checkStanding(account, authority, false))
      if (authority.oauth === "no" || authority.level === "full") {
        return yield* deny("Forbidden", "This credential may not do this, whatever its scope")
      }
      return { kind: "oauth", did: account.did, session, clientId: undefined, granted }
    })

    /** An access token that the owner made. */
    const tokenCaller = Effect.fnUntraced(function* (
      account: Account,
      token: string,
      authority: SessionAuthority
    ): Effect.fn.Return<Caller, Denied> {
      const found = yield* ownTokens.use(account.did, token)
      if (found === undefined) {
        return yield* deny("InvalidToken", "The access token was revoked or has expired")
      }
      return yield* scopedCaller(account, found.name, found.scope, authority)
    })

    const sessionNow: Auth["Service"]["sessionNow"] = ({ authorization }, declared) => {
      const authority = declared.kind === "optional" ? ownerReads : declared
      if (authority.kind !== "session") return undefined
      const presented = parseAuthorization(authorization)
      const account = accounts.peek()
      if (presented?.scheme !== "bearer" || account === undefined) return undefined
      if (account.takedown !== undefined || account.deactivatedAt !== undefined) return undefined
      const now = clock.currentTimeMillisUnsafe()
      const id = sessions.checkAccess(account.did, parseKnownJwt(presented.value), now)
      const found = Result.isSuccess(id) ? sessions.find(id.success) : undefined
      if (found === undefined || found.level === "scoped") return undefined
      return reaches(found.level, authority)
        ? { kind: "session", did: account.did, session: found.id, level: found.level }
        : undefined
    }

    const sessionCaller = Effect.fnUntraced(function* (
      credentials: Credentials,
      authority: SessionAuthority,
      nsid: string
    ): Effect.fn.Return<Caller, Denied | OAuthDenied> {
      const atOnce = sessionNow(credentials, authority)
      if (atOnce !== undefined) return atOnce
      const presented = parseAuthorization(credentials.authorization)
      if (presented?.scheme === "dpop") {
        return yield* oauthCaller(presented.value, credentials, authority)
      }
      const token = yield* bearerToken(credentials)
      const account = yield* theAccount
      const jwt = parseJwt(token)
      if (authority.moderator === true && jwt !== undefined && isByModerator(jwt, config)) {
        return yield* Callers.moderatorCaller(serviceTokens, config, token, nsid)
      }
      if (isOwnToken(token)) return yield* tokenCaller(account, token, authority)
      if (authority.service === true && jwt !== undefined && isForeign(jwt)) {
        const caller = yield* serviceCaller(account, token, nsid, true)
        yield* Effect.fromResult(checkStanding(account, authority, false))
        return caller
      }
      const { id, level, appPassword } = yield* findSession(account, jwt)
      if (level === "scoped") {
        const scope = appPasswords.scopeOf(appPassword ?? "")
        if (scope === undefined) return yield* deny("InvalidToken", "Bad token scope")
        return yield* scopedCaller(account, id, scope, authority)
      }
      if (!reaches(level, authority)) return yield* deny("InvalidToken", "Bad token scope")
      const isOwner = level === "full" || level === "takendown"
      yield* Effect.fromResult(checkStanding(account, authority, isOwner))
      if (account.deactivatedAt !== undefined) {
        yield* Effect.provideService(continueMigration, PendingMigration, pending)
      }
      return { kind: "session", did: account.did, session: id, level: levelIn(account, level) }
    })

    const adminCaller = ({ authorization }: Credentials) =>
      Callers.adminCaller(config, authorization)

    /** Public methods use credentials only to show more to the owner and the administrator. */
    const optionalCaller = (
      credentials: Credentials,
      nsid: string
    ): Effect.Effect<Caller, OAuthDenied> => {
      const scheme = parseAuthorization(credentials.authorization)?.scheme
      if (scheme === undefined) return Effect.succeed(Callers.anonymous)
      const judged: Effect.Effect<Caller, Denied | OAuthDenied> =
        scheme === "basic" ? adminCaller(credentials) : sessionCaller(credentials, ownerReads, nsid)
      // An app with an old nonce retries with the new one; as anonymous it would see less than it
      // may.
      return Effect.catchIf(judged, isFinal, () => Effect.succeed(Callers.anonymous))
    }

    const refreshCaller = Effect.fnUntraced(function* (credentials: Credentials, expired: boolean) {
      const token = yield* bearerToken(credentials)
      const { did } = yield* theAccount
      const checked = yield* sessions.checkRefresh(did, parseJwt(token), { expired })
      return { kind: "refresh", did, ...checked } satisfies Caller
    })

    const authenticate = (
      credentials: Credentials,
      authority: Authority,
      nsid: string
    ): Effect.Effect<Caller, Denied | OAuthDenied> => {
      switch (authority.kind) {
        case "none":
          return Effect.succeed(Callers.anonymous)
        case "optional":
          return optionalCaller(credentials, nsid)
        case "session":
          return sessionCaller(credentials, authority, nsid)
        case "refresh":
          return refreshCaller(credentials, authority.expired === true)
        case "service":
          return Effect.flatMap(bearerToken(credentials), (token) =>
            Effect.flatMap(theAccount, (account) => serviceCaller(account, token, nsid, false))
          )
        case "admin":
          return adminCaller(credentials)
        case "signup":
        case "moderator":
        case "object":
          return Effect.fail(deny("Forbidden", "This method belongs to the host"))
      }
    }

    return Auth.of({
      authenticate,
      sessionNow,
      recheck,
      permit: (caller, permissions) => {
        const scope = caller.kind === "oauth" ? missing(caller.granted, permissions) : undefined
        return scope === undefined
          ? Effect.void
          : Effect.fail(
              new Denied({
                error: "ScopeMissingError",
                message: `Missing required scope "${scope}"`,
                scope,
                scheme: isBearer(caller) ? "Bearer" : "DPoP"
              })
            )
      }
    })
  })
)

/** Whether the caller presented a token without a proof. */
const isBearer = (caller: Caller): boolean =>
  caller.kind === "oauth" && caller.clientId === undefined

const ownerReads: SessionAuthority = {
  kind: "session",
  level: "standard",
  oauth: "any",
  takendown: true
}
