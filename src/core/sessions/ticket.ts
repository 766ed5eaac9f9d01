import { createHmac } from "node:crypto"
import { fromBase64Url, toBase64Url } from "../bytes/base64url.ts"
import { jsonObject } from "../bytes/jsonObject.ts"
import { sameText } from "./jwt.ts"

/** A ticket's content: JSON. */
export type TicketClaims = Readonly<Record<string, unknown>>

/** The stated text has no line break, so the start of the purpose is unambiguous. */
const mac = (key: Uint8Array, purpose: string, stated: string): string =>
  createHmac("sha256", key).update(`${stated}\n${purpose}`).digest("base64url")

/**
 * Creates a ticket: a message from this server to itself through a browser, valid until `expiresAt`
 * (milliseconds).
 *
 * Its bearer can read it but cannot change it or use it for another purpose. The text is safe in an
 * HTML attribute, a cookie and a URL.
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

/** A ticket's content; undefined if it isn't ours, has another purpose, or has expired. */
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
