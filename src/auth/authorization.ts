import { timingSafeEqual } from "node:crypto"
import { sha256 } from "../repo/cid.ts"

/** An Authorization header taken apart; schemes have no case. */
export interface Authorization {
  readonly scheme: string
  readonly value: string
}

/** Takes an Authorization header apart; nothing where there is none. */
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

/** Whether a Basic credential is the administrator's; takes the same time for every wrong one. */
export const isAdmin = (value: string, adminPassword: string): boolean => {
  const given = decodeBasic(value)
  return given !== undefined && timingSafeEqual(sha256(given), sha256(`admin:${adminPassword}`))
}
