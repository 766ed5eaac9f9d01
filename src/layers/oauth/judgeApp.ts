import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { parseKnownJwt } from "../../core/sessions/jwt.ts"
import type { Proof } from "../../core/oauth/dpop.ts"
import * as Soon from "../../services/host/Soon.ts"
import { DpopProofs } from "../../services/oauth/DpopProofs.ts"
import { type OAuthSession, OAuthSessions } from "../../services/oauth/OAuthSessions.ts"
import { type Credentials, OAuthDenied } from "../../services/sessions/Auth.ts"
import type { Caller } from "../../services/sessions/Authority.ts"

type OAuthCaller = Extract<Caller, { readonly kind: "oauth" }>

/** The access token is invalid or has expired; the app refreshes it. */
export const invalidToken = (message: string) =>
  Result.fail(new OAuthDenied({ error: "invalid_token", message }))

/**
 * Authenticates OAuth apps: the access token, then proof of the token's key, then the session. An
 * app that is judged at once has used its proof; an effect uses it when it runs.
 *
 * The caller checks the account's status and the app's permissions.
 */
export const make = Effect.gen(function* () {
  const sessions = yield* OAuthSessions
  const proofs = yield* DpopProofs
  const clock = yield* Clock.Clock

  /** Uses the proof, which works for one call. */
  const useProof = (
    session: OAuthSession,
    proof: Proof
  ): Result.Result<OAuthSession, OAuthDenied> => {
    const now = clock.currentTimeMillisUnsafe()
    const use = sessions.useProof(session.id, proof, now)
    if (use.kind === "fresh") return Result.succeed(session)
    if (use.kind === "used") {
      const message = "DPoP proof was used before"
      return Result.fail(new OAuthDenied({ error: "invalid_dpop_proof", message }))
    }
    const nonce = `${proofs.nonce(now)}${use.mark}`
    const message = "DPoP proof must hold a newer nonce"
    return Result.fail(new OAuthDenied({ error: "use_dpop_nonce", message, nonce }))
  }

  return (
    did: string,
    accessToken: string,
    { dpop, method, url }: Credentials
  ): Soon.Soon<OAuthCaller, OAuthDenied> => {
    const now = clock.currentTimeMillisUnsafe()
    const granted = sessions.checkAccess(did, parseKnownJwt(accessToken), now)
    if (Result.isFailure(granted)) return Result.fail(granted.failure)
    const { session: id, jkt } = granted.success
    const checked = Soon.mapError(
      proofs.check({ proof: dpop, method, url, accessToken }, now),
      ({ error, reason }) => new OAuthDenied({ error, message: reason })
    )
    return Soon.flatMap(checked, (proof): Result.Result<OAuthCaller, OAuthDenied> => {
      if (proof.jkt !== jkt) return invalidToken("Token is bound to another key")
      // Looked up last: the session may have ended while the proof was verified.
      const session = sessions.find(id)
      if (session === undefined) return invalidToken("Token has been revoked")
      return Result.map(useProof(session, proof), ({ clientId, granted }) => ({
        kind: "oauth",
        did,
        session: id,
        clientId,
        granted
      }))
    })
  }
})
