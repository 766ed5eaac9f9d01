import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Result from "effect/Result"
import type { Permission } from "../../core/oauth/types.ts"
import { isPrivileged, isProtected, isReport } from "../../core/sessions/methods.ts"
import { AccountStore, type RepoNotFound } from "../accounts/AccountStore.ts"
import * as Soon from "../host/Soon.ts"
import { Signer } from "../identity/Signer.ts"
import { Repo } from "../repo/Repo.ts"
import {
  Auth,
  type Credentials,
  Denied,
  isQuery,
  type OAuthDenied,
  permit
} from "../sessions/Auth.ts"
import type { Authority } from "../sessions/Authority.ts"
import { ServiceTokens } from "../sessions/ServiceTokens.ts"

/**
 * Who may use a method of another service: sessions of an active account; a report may also appeal
 * a takedown.
 */
const authorityFor = (lxm: string, needs: ReadonlyArray<Permission>): Authority => ({
  kind: "session",
  level: isPrivileged(lxm) ? "privileged" : "standard",
  oauth: () => needs,
  active: true,
  ...(isReport(lxm) ? { takendown: true } : {})
})

/** A call to another service: the caller's credentials, and the claims of its token. */
export interface ProxiedCall extends Credentials {
  readonly lxm: string
  /** The audience for permissions: a DID with its `#service`. */
  readonly aud: string
  /** The token's audience: the bare DID of the service or of a feed generator. */
  readonly tokenAud: string
  /** The token's method, if it is another (getFeed → getFeedSkeleton). */
  readonly tokenLxm?: string
}

/** The permissions that an app needs for a call; undefined if nobody gets a token for it. */
const needsOf = (input: ProxiedCall): ReadonlyArray<Permission> | undefined => {
  const { lxm, aud, tokenLxm = lxm } = input
  const methods = lxm === tokenLxm ? [lxm] : [lxm, tokenLxm]
  if (methods.some(isProtected)) return undefined
  const query = isQuery(input) ? ({ query: true } as const) : {}
  return methods.map((method) => ({ resource: "rpc", lxm: method, aud, ...query }))
}

/** The services that authorize a call. */
type Authorizing = Context.Context<AccountStore | Auth | Repo | ServiceTokens | Signer>

/**
 * Authorizes a call to another service in the caller's name, and creates its service auth: at once
 * if neither has to wait.
 *
 * An app needs the permission for the called method and for the token's method.
 */
export const authorizeProxySoon = (
  input: ProxiedCall,
  services: Authorizing
): Soon.Soon<Authorized, Denied | OAuthDenied | RepoNotFound> => {
  const { lxm, tokenAud: aud, tokenLxm = lxm } = input
  const needs = needsOf(input)
  if (needs === undefined) {
    return Result.fail(new Denied({ error: "InvalidToken", message: "Bad token method" }))
  }
  const judged = Context.get(services, Auth).judge(input, authorityFor(lxm, needs), lxm)
  return Soon.flatMap(judged, (caller): Soon.Soon<Authorized, Denied | RepoNotFound> => {
    const permitted = permit(caller, needs)
    if (Result.isFailure(permitted)) return Result.fail(permitted.failure)
    const account = Context.get(services, AccountStore).find()
    if (Result.isFailure(account)) return Result.fail(account.failure)
    const head = Context.get(services, Repo).headNow()
    if (Result.isFailure(head)) return Result.fail(head.failure)
    const { did } = account.success
    const claims = { iss: did, aud, lxm: tokenLxm }
    const now = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
    const tokens = Context.get(services, ServiceTokens)
    const token = tokens.createSoon(Context.get(services, Signer), claims, now)
    return Soon.map(token, (token) => ({ did, token, rev: head.success.rev }))
  })
}

/** The account, its service auth for a call, and its repo's rev. */
export interface Authorized {
  readonly did: string
  readonly token: string
  readonly rev: string
}

/**
 * The calls of the service proxy: the object authenticates and signs, and never waits for an
 * upstream.
 */
export const proxyCalls = {
  authorizeProxy: (input: ProxiedCall) =>
    Soon.within((services: Authorizing) => authorizeProxySoon(input, services))
}
