import { randomBytes } from "node:crypto"
import { toBase64Url } from "../bytes/base64url.ts"

/**
 * The prefixes of ids by the kind of session: the owner's, an app password's, an OAuth app's.
 *
 * Clients decode tokens as plain base64 rather than base64url, so an id must not contain characters
 * that need the latter (`~` does).
 */
export const sessionKinds = { own: "zzzf", appPassword: "zzzp", oauth: "zzzo" } as const

/** The prefix of an id. */
export type SessionKind = (typeof sessionKinds)[keyof typeof sessionKinds]

/**
 * Creates a session id: unguessable, and ids of a kind sort by age.
 *
 * Ids of version 0.1 are purely random. They sort first and have no kind, except for one in 16
 * million.
 */
export const newSessionId = (kind: SessionKind, now: number): string =>
  `${kind}${now.toString(36).padStart(9, "0")}${toBase64Url(randomBytes(16))}`

/** The kind of an id. */
export const kindOf = (id: string): SessionKind | undefined =>
  Object.values(sessionKinds).find((kind) => id.startsWith(kind))

/** The first text that sorts after every id of a kind. */
export const endOfKind = (kind: SessionKind): string => `${kind}~`
