import { notices } from "../text/account.ts"

/** The name of a notice. */
export type Notice = keyof typeof notices

/** The sentence for a notice's name in an address; undefined for any other text. */
export const noticeText = (word: string | null): string | undefined =>
  word !== null && Object.hasOwn(notices, word) ? notices[word as Notice] : undefined
