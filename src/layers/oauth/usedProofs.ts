import { ReplaySet } from "../../core/oauth/ReplaySet.ts"
import { isNonceOf, newNonceMark } from "../../core/oauth/nonce.ts"
import type { Proof } from "../../core/oauth/dpop.ts"
import type { ProofUse } from "../../services/oauth/OAuthSessions.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"

/** Proofs that an object remembers at most: only an app with a good token and its key gets one in. */
const maxProofs = 10_000

/** By how much the stored time runs ahead of the newest proof, in milliseconds: an object sleeps after ten seconds without a call. */
const ahead = 5000

/** Sessions whose stored times are kept in memory at most. */
const maxKept = 1000

interface Times {
  /** Before this time another life of the object may have used proofs. */
  readonly earlier: number
  /** What is stored: above the time of every proof that was used. */
  readonly stored: number
}

/**
 * Remembers which proofs were used, so that each is good for one call, however often the object sleeps.
 *
 * Single proofs are remembered in memory. What is stored is a time above that of every proof of a session, written once in
 * some seconds: a proof from before that time may have been used in another life of this object, and is refused unless it
 * holds a nonce that this life gave out.
 */
export const make = (sql: SqlStorage["Service"]) => {
  const mark = newNonceMark()
  const used = new ReplaySet(maxProofs)
  const times = new Map<string, Times>()

  const timesOf = (session: string): Times => {
    const known = times.get(session)
    if (known !== undefined) return known
    const query = "SELECT used_until FROM oauth_proof WHERE session = ?"
    const stored =
      sql.exec<{ used_until: number }>(query, session).toArray()[0]?.used_until ?? -Infinity
    return { earlier: stored, stored }
  }

  const keep = (session: string, next: Times): void => {
    if (times.size >= maxKept) times.clear()
    times.set(session, next)
  }

  return (session: string, { jkt, jti, issued, expires, nonce }: Proof, now: number): ProofUse => {
    const { earlier, stored } = timesOf(session)
    if (issued < earlier && !isNonceOf(nonce, mark)) return { kind: "unsure", mark }
    if (!used.use(`${jkt}:${jti}`, expires, now)) return { kind: "used" }
    if (issued < stored) keep(session, { earlier, stored })
    else {
      const next = Math.ceil(issued) + ahead
      sql.exec(
        `INSERT INTO oauth_proof VALUES (?, ?)
          ON CONFLICT DO UPDATE SET used_until = excluded.used_until`,
        session,
        next
      )
      keep(session, { earlier, stored: next })
    }
    return { kind: "fresh" }
  }
}
