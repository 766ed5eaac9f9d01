import { createHmac } from "node:crypto"
import { fromBase64Url, toBase64Url } from "../bytes/base64url.ts"
import { jsonObject } from "../bytes/jsonObject.ts"
import { sameText } from "./jwt.ts"

/** What a ticket says: JSON. */
export type TicketClaims = Readonly<Record<string, unknown>>

/** What is stated holds no line's end, so there is no doubt where the purpose begins. */
const mac = (key: Uint8Array, purpose: string, stated: string): string =>
  createHmac("sha256", key).update(`${stated}\n${purpose}`).digest("base64url")

/**
 * Makes a ticket: what this server says to itself through somebody's browser, until `expiresAt` (milliseconds).
 *
 * Its bearer can read it, but not change it nor use it for another purpose. The text is safe in an HTML attribute,
 * a cookie and a URL.
 */
export const sealTicket = (
  key: Uint8Array,
  purpose: string,
  claims: TicketClaims,
  expiresAt: number
): string => {
  const stated = `${Math.floor(expiresAt)}.${toBase64Url(new TextEncoder().encode(JSON.stringify(claims)))}`
  return `${stated}.${mac(key, purpose, stated)}`
}

/** What a ticket says; undefined for one that is not ours, is for another purpose, or is over. */
export const openTicket = (
  key: Uint8Array,
  purpose: string,
  text: string,
  now: number
): TicketClaims | undefined => {
  const parts = /^(\d+)\.([\w-]+)\.([\w-]{43})$/.exec(text)
  if (parts === null) return undefined
  const [, expiresAt, claims, given] = parts
  if (!sameText(given!, mac(key, purpose, `${expiresAt}.${claims}`))) return undefined
  const bytes = Number(expiresAt) > now ? fromBase64Url(claims!) : undefined
  return bytes && jsonObject(bytes)
}
