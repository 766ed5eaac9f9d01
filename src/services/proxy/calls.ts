import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Permission } from "../../core/oauth/types.ts"
import { isPrivileged, isProtected, isReport } from "../../core/sessions/methods.ts"
import { AccountStore } from "../accounts/AccountStore.ts"
import { Signer } from "../identity/Signer.ts"
import { Repo } from "../repo/Repo.ts"
import { Auth, type Credentials, Denied, isQuery } from "../sessions/Auth.ts"
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

/**
 * Authorizes a call to another service in the caller's name, and creates its service auth.
 *
 * An app needs the permission for the called method and for the token's method.
 */
const authorizeProxy = Effect.fnUntraced(function* (input: ProxiedCall) {
  const { lxm, tokenAud, tokenLxm = lxm } = input
  const needs = needsOf(input)
  if (needs === undefined) {
    return yield* new Denied({ error: "InvalidToken", message: "Bad token method" })
  }
  const auth = yield* Auth
  const caller = yield* auth.authenticate(input, authorityFor(lxm, needs), lxm)
  yield* auth.permit(caller, needs)
  const { did } = yield* (yield* AccountStore).get
  const { rev } = yield* (yield* Repo).head
  const tokens = yield* ServiceTokens
  const token = yield* tokens.create(yield* Signer, { iss: did, aud: tokenAud, lxm: tokenLxm })
  return { did, token, rev }
})

/** The services that authorize a call at once. */
export type Authorizing = Context.Context<Auth | Repo | Signer | ServiceTokens>

/**
 * The same without waiting, for the plain session of an active account; `now` is in milliseconds.
 * Returns undefined for all other callers, which `authorizeProxy` checks.
 */
export const authorizeProxyNow = (
  input: ProxiedCall,
  services: Authorizing,
  now: number
): { readonly token: string; readonly rev: string } | undefined => {
  const { lxm, tokenAud: aud, tokenLxm = lxm } = input
  const needs = needsOf(input)
  if (needs === undefined) return undefined
  const caller = Context.get(services, Auth).sessionNow(input, authorityFor(lxm, needs))
  const head = Context.get(services, Repo).headNow()
  if (caller?.kind !== "session" || Result.isFailure(head)) return undefined
  const claims = { iss: caller.did, aud, lxm: tokenLxm }
  const tokens = Context.get(services, ServiceTokens)
  const token = tokens.createNow(Context.get(services, Signer), claims, now)
  return token === undefined ? undefined : { token, rev: head.success.rev }
}

/**
 * The calls of the service proxy: the object authenticates and signs, and never waits for an
 * upstream.
 */
export const proxyCalls = { authorizeProxy }
