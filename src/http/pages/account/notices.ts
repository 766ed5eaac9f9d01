import { notices } from "../text/account.ts"

/** A word for what was done. */
export type Notice = keyof typeof notices

/** The sentence for a word that came in an address; undefined for any other text. */
export const noticeText = (word: string | null): string | undefined =>
  word !== null && Object.hasOwn(notices, word) ? notices[word as Notice] : undefined
