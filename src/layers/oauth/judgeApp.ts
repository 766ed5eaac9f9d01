import * as Effect from "effect/Effect"
import { parseJwt } from "../../core/sessions/jwt.ts"
import type { Credentials } from "../../services/sessions/Auth.ts"
import { OAuthDenied } from "../../services/sessions/Auth.ts"
import type { Caller } from "../../services/sessions/Authority.ts"
import type { Proof } from "../../core/oauth/dpop.ts"
import { DpopProofs } from "../../services/oauth/DpopProofs.ts"
import { OAuthSessions } from "../../services/oauth/OAuthSessions.ts"

type OAuthCaller = Extract<Caller, { readonly kind: "oauth" }>

/** The access token is invalid or has expired; the app refreshes it. */
export const invalidToken = (message: string) =>
  new OAuthDenied({ error: "invalid_token", message })

/**
 * Authenticates OAuth apps: the access token, then proof of the token's key, then the session.
 *
 * The caller checks the account's status and the app's permissions.
 */
export const make = Effect.gen(function* () {
  const sessions = yield* OAuthSessions
  const proofs = yield* DpopProofs

  /** The request's proof of the key that the token is bound to. */
  const provenBy = Effect.fnUntraced(function* (
    { dpop, method, url }: Credentials,
    accessToken: string,
    key: string
  ) {
    const proof = yield* proofs
      .check({ proof: dpop, method, url, accessToken })
      .pipe(Effect.mapError(({ error, reason }) => new OAuthDenied({ error, message: reason })))
    return proof.jkt === key ? proof : yield* invalidToken("Token is bound to another key")
  })

  /** Uses the proof, which works for one call. */
  const useProof = Effect.fnUntraced(function* (session: string, proof: Proof) {
    const use = yield* sessions.useProof(session, proof)
    if (use.kind === "fresh") return
    if (use.kind === "used") {
      const message = "DPoP proof was used before"
      return yield* new OAuthDenied({ error: "invalid_dpop_proof", message })
    }
    const nonce = `${yield* proofs.nonce}${use.mark}`
    const message = "DPoP proof must hold a newer nonce"
    return yield* new OAuthDenied({ error: "use_dpop_nonce", message, nonce })
  })

  return Effect.fnUntraced(function* (
    did: string,
    token: string,
    credentials: Credentials
  ): Effect.fn.Return<OAuthCaller, OAuthDenied> {
    const grant = yield* sessions.checkAccess(did, parseJwt(token))
    const proof = yield* provenBy(credentials, token, grant.jkt)
    // Looked up last: the session may have ended while the proof was verified.
    const session = sessions.find(grant.session)
    if (session === undefined) return yield* invalidToken("Token has been revoked")
    yield* useProof(session.id, proof)
    const { id, clientId, granted } = session
    return { kind: "oauth", did, session: id, clientId, granted }
  })
})
