import { createHmac, type KeyObject } from "node:crypto"
import type { KeptKeys } from "./KeptKeysSqlite.ts"

/** The refresh tokens that follow each other; each is unpredictable without the keys. */
export const refreshChain = (keys: KeptKeys, hashOf: (token: string) => string) => {
  const nextBy = (token: string, key: KeyObject): string =>
    createHmac("sha256", key).update(token).digest("base64")
  return {
    next: (token: string): string => nextBy(token, keys.current),
    /** The token that followed a used one: one of these hashes' tokens, by whichever key. */
    nextAgain: (token: string, hashes: ReadonlyArray<string>, now: number): string => {
      const isKnown = (next: string): boolean => hashes.includes(hashOf(next))
      const next = nextBy(token, keys.current)
      if (isKnown(next)) return next
      const older = keys.older(now).map((key) => nextBy(token, key))
      return older.find(isKnown) ?? next
    }
  }
}
