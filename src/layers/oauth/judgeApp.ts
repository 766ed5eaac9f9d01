import * as Effect from "effect/Effect"
import { parseJwt } from "../../core/sessions/jwt.ts"
import type { Credentials } from "../../services/sessions/Auth.ts"
import { OAuthDenied } from "../../services/sessions/Auth.ts"
import type { Caller } from "../../services/sessions/Authority.ts"
import type { Proof } from "../../core/oauth/dpop.ts"
import { DpopProofs } from "../../services/oauth/DpopProofs.ts"
import { OAuthSessions } from "../../services/oauth/OAuthSessions.ts"

type OAuthCaller = Extract<Caller, { readonly kind: "oauth" }>

/** An access token that is not good, or not any more: the app refreshes it. */
export const invalidToken = (message: string) =>
  new OAuthDenied({ error: "invalid_token", message })

/**
 * Judges OAuth apps: the access token, then the proof that the caller has the token's key, then the session.
 *
 * The account's standing and what the app may do are looked at by who asks.
 */
export const make = Effect.gen(function* () {
  const sessions = yield* OAuthSessions
  const proofs = yield* DpopProofs

  /** The proof that the caller has the key that the token is bound to, made for this very request. */
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

  /** Uses the proof, which is good for one call. */
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
    // Asked for last: while the proof was verified the session may have ended.
    const session = sessions.find(grant.session)
    if (session === undefined) return yield* invalidToken("Token has been revoked")
    yield* useProof(session.id, proof)
    const { id, clientId, granted } = session
    return { kind: "oauth", did, session: id, clientId, granted }
  })
})
