import { createHmac, createSecretKey } from "node:crypto"
import { sameText } from "../auth/jwt.ts"

/** How long a nonce is the current one, in milliseconds. */
const period = 60_000

/** The nonces that DPoP proofs must hold. */
export interface DpopNonces {
  /** The nonce to give out now. */
  current(nowMillis: number): string
  /** Whether this is a nonce of now, the one before, or the one after; none is good for more than three minutes. */
  isRecent(nonce: string, nowMillis: number): boolean
}

/**
 * Nonces that every part of the server with the same key makes and knows, without telling each other.
 *
 * A nonce is the HMAC of a counter of minutes. The next one is taken too: another machine's clock may be ahead.
 */
export const dpopNonces = (key: Uint8Array): DpopNonces => {
  const secret = createSecretKey(key)
  const nonceAt = (counter: number): string =>
    createHmac("sha256", secret).update(String(counter)).digest("base64url")

  // Every request asks: the three of a minute are made once.
  let kept:
    | { readonly counter: number; readonly nonces: readonly [string, string, string] }
    | undefined

  const around = (nowMillis: number): readonly [string, string, string] => {
    const counter = Math.floor(nowMillis / period)
    if (kept?.counter !== counter) {
      kept = { counter, nonces: [nonceAt(counter - 1), nonceAt(counter), nonceAt(counter + 1)] }
    }
    return kept.nonces
  }

  return {
    current: (nowMillis) => around(nowMillis)[1],
    isRecent: (nonce, nowMillis) =>
      // All three are compared: which one it was takes no time of its own.
      around(nowMillis).filter((recent) => sameText(recent, nonce)).length > 0
  }
}
