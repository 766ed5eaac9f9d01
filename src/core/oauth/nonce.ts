import { createHmac, createSecretKey, randomBytes } from "node:crypto"
import { sameText } from "../sessions/jwt.ts"

/** How long a nonce is current, in milliseconds. */
const period = 60_000

/** The suffix of the nonces that an object issues during one life, to recognize them. */
export const newNonceMark = (): string => `.${randomBytes(16).toString("base64url")}`

/**
 * Whether a nonce was issued during the life with this mark, which only the client that signed the
 * nonce could know.
 */
export const isNonceOf = (nonce: string, mark: string): boolean => nonce.endsWith(mark)

const marked = /^([\w-]{43})\.[\w-]{22}$/

/** The nonces for DPoP proofs. */
export interface DpopNonces {
  /** The nonce to issue now. */
  current(nowMillis: number): string
  /**
   * Whether a nonce is the current, previous or next one, with or without a mark; none is valid for
   * more than three minutes.
   */
  isRecent(nonce: string, nowMillis: number): boolean
}

/**
 * Nonces that every part of the server with the same key computes independently.
 *
 * A nonce is the HMAC of a counter of minutes. The next one is also accepted, because another
 * machine's clock may be ahead.
 */
export const dpopNonces = (key: Uint8Array): DpopNonces => {
  const secret = createSecretKey(key)
  const nonceAt = (counter: number): string =>
    createHmac("sha256", secret).update(String(counter)).digest("base64url")

  // Every request needs them, so each minute's three are computed once.
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
    isRecent: (nonce, nowMillis) => {
      const plain = marked.exec(nonce)?.[1] ?? nonce
      // Compares all three, so the time doesn't reveal which one matched.
      return around(nowMillis).filter((recent) => sameText(recent, plain)).length > 0
    }
  }
}
