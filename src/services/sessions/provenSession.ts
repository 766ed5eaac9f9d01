import * as Result from "effect/Result"
import { parseAuthorization } from "../../core/sessions/authorization.ts"
import { isSignedWith, parseKnownJwt } from "../../core/sessions/jwt.ts"
import { checkAccess } from "../../core/sessions/sessionToken.ts"
import type { Settings } from "../host/Config.ts"
import { hkdfKey } from "../host/derivedSecrets.ts"

/**
 * Whether a request has a session's token of this server for the account, unexpired at `now` (ms).
 *
 * Known without asking the account's object, where the session may have ended.
 */
export const isProvenSession = (
  { masterKey, serviceDid: service }: Pick<Settings, "masterKey" | "serviceDid">,
  did: string,
  authorization: string | undefined,
  now: number
): boolean => {
  const presented = parseAuthorization(authorization)
  if (presented?.scheme !== "bearer") return false
  const key = hkdfKey(masterKey, "session tokens")
  const demands = { service, did, now: now / 1000, isSigned: isSignedWith.bind(undefined, key) }
  return Result.isSuccess(checkAccess(parseKnownJwt(presented.value), demands))
}
