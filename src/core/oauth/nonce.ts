import { createHmac, createSecretKey, randomBytes } from "node:crypto"
import { sameText } from "../sessions/jwt.ts"

/** How long a nonce is the current one, in milliseconds. */
const period = 60_000

/** What one life of an object adds to the nonces that it gives out, so that it knows them again. */
export const newNonceMark = (): string => `.${randomBytes(16).toString("base64url")}`

/** Whether the life of this mark gave the nonce out. Nobody else can have known the mark, and the client has signed it. */
export const isNonceOf = (nonce: string, mark: string): boolean => nonce.endsWith(mark)

const marked = /^([\w-]{43})\.[\w-]{22}$/

/** The nonces that DPoP proofs must hold. */
export interface DpopNonces {
  /** The nonce to give out now. */
  current(nowMillis: number): string
  /**
   * Whether this is a nonce of now, the one before, or the one after, with a mark or without; none is good for more than
   * three minutes.
   */
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
    isRecent: (nonce, nowMillis) => {
      const plain = marked.exec(nonce)?.[1] ?? nonce
      // All three are compared: which one it was takes no time of its own.
      return around(nowMillis).filter((recent) => sameText(recent, plain)).length > 0
    }
  }
}
