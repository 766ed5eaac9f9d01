import { ReplaySet } from "../../core/oauth/ReplaySet.ts"
import { isNonceOf, newNonceMark } from "../../core/oauth/nonce.ts"
import type { Proof } from "../../core/oauth/dpop.ts"
import type { ProofUse } from "../../services/oauth/OAuthSessions.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"

/**
 * The most proofs that an object remembers: only an app with a valid token and its key can add one.
 */
const maxProofs = 10_000

/**
 * How far the stored time is ahead of the newest proof, in milliseconds: an object sleeps after ten
 * seconds without a call.
 */
const ahead = 5000

/** The most sessions whose stored times are in memory. */
const maxKept = 1000

interface Times {
  /** Before this time, an earlier life of the object may have used proofs. */
  readonly earlier: number
  /** The stored time, later than every used proof. */
  readonly stored: number
}

/**
 * Remembers used proofs, so each works for one call, however often the object sleeps.
 *
 * Single proofs are in memory. The stored time is later than all of a session's used proofs and
 * written once in some seconds: a proof from before it may have been used in an earlier life of
 * this object, so it is rejected unless it has a nonce that this life issued.
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
