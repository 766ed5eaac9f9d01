import { randomBytes } from "node:crypto"
import { toBase64Url } from "../bytes/base64url.ts"

/**
 * How ids begin, by the kind of session: the owner's, one by an app password, an OAuth app's.
 *
 * Clients read tokens by base64 without its URL form, so an id holds no character that needs the latter (`~` does).
 */
export const sessionKinds = { own: "zzzf", appPassword: "zzzp", oauth: "zzzo" } as const

/** How an id begins. */
export type SessionKind = (typeof sessionKinds)[keyof typeof sessionKinds]

/**
 * Makes the id of a session: nobody can guess it, and ids of a kind sort by their age.
 *
 * Ids of version 0.1 are random alone. They sort before these, and are of no kind, but for one in 16 million.
 */
export const newSessionId = (kind: SessionKind, now: number): string =>
  `${kind}${now.toString(36).padStart(9, "0")}${toBase64Url(randomBytes(16))}`

/** The kind that an id names. */
export const kindOf = (id: string): SessionKind | undefined =>
  Object.values(sessionKinds).find((kind) => id.startsWith(kind))

/** The first text that sorts behind every id of a kind. */
export const endOfKind = (kind: SessionKind): string => `${kind}~`
