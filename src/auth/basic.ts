import { createHash, timingSafeEqual } from "node:crypto"

const digest = (text: string) => createHash("sha256").update(text).digest()

/** Compares two secrets in a time that tells nothing of either. */
export const sameSecret = (one: string, other: string): boolean =>
  timingSafeEqual(digest(one), digest(other))

/** Whether an Authorization header holds Basic credentials, right or wrong. */
export const isBasic = (authorization: string): boolean => /^basic /i.test(authorization)

/** Whether an Authorization header holds the administrator's Basic credentials: `admin` and the password. */
export const isAdminBasic = (authorization: string, adminPassword: string): boolean => {
  const encoded = /^basic ([a-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) return false
  const bytes = Uint8Array.from(atob(encoded.replace(/=+$/, "")), (c) => c.charCodeAt(0))
  return sameSecret(new TextDecoder().decode(bytes), `admin:${adminPassword}`)
}
