import * as Effect from "effect/Effect"
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

/**
 * Authorizes a call to another service in the caller's name, and creates its service auth.
 *
 * An app needs the permission for the called method and for the token's method.
 */
const authorizeProxy = Effect.fnUntraced(function* (
  input: Credentials & {
    readonly lxm: string
    /** The audience for permissions: a DID with its `#service`. */
    readonly aud: string
    /** The token's audience: the bare DID of the service or of a feed generator. */
    readonly tokenAud: string
    /** The token's method, if it is another (getFeed → getFeedSkeleton). */
    readonly tokenLxm?: string
  }
) {
  const { lxm, aud, tokenAud, tokenLxm = lxm } = input
  const methods = lxm === tokenLxm ? [lxm] : [lxm, tokenLxm]
  if (methods.some(isProtected)) {
    return yield* new Denied({ error: "InvalidToken", message: "Bad token method" })
  }
  const query = isQuery(input) ? ({ query: true } as const) : {}
  const needs = methods.map((method): Permission => ({
    resource: "rpc",
    lxm: method,
    aud,
    ...query
  }))
  const auth = yield* Auth
  const caller = yield* auth.authenticate(input, authorityFor(lxm, needs), lxm)
  yield* auth.permit(caller, needs)
  const { did } = yield* (yield* AccountStore).get
  const { rev } = yield* (yield* Repo).head
  const tokens = yield* ServiceTokens
  const token = yield* tokens.create(yield* Signer, { iss: did, aud: tokenAud, lxm: tokenLxm })
  return { did, token, rev }
})

/**
 * The calls of the service proxy: the object authenticates and signs, and never waits for an
 * upstream.
 */
export const proxyCalls = { authorizeProxy }
