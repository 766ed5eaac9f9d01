import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { parseJwt } from "../auth/jwt.ts"
import { ReplaySet } from "../auth/ReplaySet.ts"
import type { Credentials } from "../services/AccountCalls.ts"
import { OAuthDenied } from "../services/Auth.ts"
import type { Caller } from "../services/Authority.ts"
import { DpopProofs } from "../services/DpopProofs.ts"
import { OAuthSessions } from "../services/OAuthSessions.ts"

/** Proofs that an object remembers at most: only an app with a good token and its key gets one in. */
const maxProofs = 10_000

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
  const used = new ReplaySet(maxProofs)

  /** The caller has the key that the token is bound to, and has made this proof for this request alone. */
  const assertProven = Effect.fnUntraced(function* (
    { dpop, method, url }: Credentials,
    accessToken: string,
    key: string
  ) {
    const { jkt, jti, expires } = yield* proofs
      .check({ proof: dpop, method, url, accessToken })
      .pipe(Effect.mapError(({ error, reason }) => new OAuthDenied({ error, message: reason })))
    if (jkt !== key) return yield* invalidToken("Token is bound to another key")
    if (!used.use(`${jkt}:${jti}`, expires, yield* Clock.currentTimeMillis)) {
      return yield* new OAuthDenied({
        error: "invalid_dpop_proof",
        message: "DPoP proof was used before"
      })
    }
  })

  return Effect.fnUntraced(function* (
    did: string,
    token: string,
    credentials: Credentials
  ): Effect.fn.Return<OAuthCaller, OAuthDenied> {
    const grant = yield* sessions.checkAccess(did, parseJwt(token))
    yield* assertProven(credentials, token, grant.jkt)
    // Asked for last: while the proof was verified the session may have ended.
    const session = sessions.find(grant.session)
    if (session === undefined) return yield* invalidToken("Token has been revoked")
    const { id, clientId, granted } = session
    return { kind: "oauth", did, session: id, clientId, granted }
  })
})
