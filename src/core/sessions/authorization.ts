import { timingSafeEqual } from "node:crypto"
import { sha256 } from "../repo/cid.ts"

/** A parsed Authorization header; the scheme is case-insensitive. */
export interface Authorization {
  readonly scheme: string
  readonly value: string
}

/** Parses an Authorization header; undefined if it is missing. */
export const parseAuthorization = (header: string | undefined): Authorization | undefined => {
  const text = (header ?? "").trim()
  if (text === "") return undefined
  const [scheme = ""] = /^\S+/.exec(text) ?? []
  return { scheme: scheme.toLowerCase(), value: text.slice(scheme.length).trim() }
}

const decodeBasic = (value: string): string | undefined => {
  try {
    const binary = atob(value)
    return new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)))
  } catch {
    return undefined
  }
}

/** The password in an administrator's Authorization header; undefined for any other header. */
export const administratorPassword = (presented: Authorization | undefined): string | undefined => {
  const given = presented?.scheme === "basic" ? decodeBasic(presented.value) : undefined
  return given?.startsWith("admin:") === true ? given.slice("admin:".length) : undefined
}

/** Whether a password is the administrator's; takes the same time for every wrong one. */
export const isAdmin = (given: string, adminPassword: string): boolean =>
  timingSafeEqual(sha256(given), sha256(adminPassword))
