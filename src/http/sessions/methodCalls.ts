import * as Effect from "effect/Effect"
import type { Permission } from "../../core/oauth/types.ts"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import { Config } from "../../services/host/Config.ts"
import { Auth } from "../../services/sessions/Auth.ts"

/**
 * Judges a session or an OAuth app that calls a method which the Worker adds.
 *
 * An app needs `rpc:<nsid>?aud=<this server>#atproto_pds`, as it would for a method of any other service.
 */
export const authorizeMethod = Effect.fnUntraced(function* (
  input: AccountCalls["authorizeMethod"]["input"]
) {
  const { nsid, level, oauth } = input
  const { serviceDid } = yield* Config
  const needs: ReadonlyArray<Permission> =
    oauth === "permission" ? [{ resource: "rpc", lxm: nsid, aud: `${serviceDid}#atproto_pds` }] : []
  const auth = yield* Auth
  const authority = {
    kind: "session",
    level,
    oauth: oauth === "permission" ? () => needs : oauth,
    active: true
  } as const
  const caller = yield* auth.authenticate(input, authority, nsid)
  yield* auth.permit(caller, needs)
  return { caller }
})
