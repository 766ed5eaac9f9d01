import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto"
import { fromBase64Url, toBase64Url } from "../bytes/base64url.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

// The name is covered too, so one object can't replace another.
const macOf = (key: KeyObject, name: string, text: string): Uint8Array =>
  createHmac("sha256", key).update(`${name}\n${text}`).digest()

/** Returns readable JSON whose last line authenticates it. */
export const signText = (key: KeyObject, name: string, value: unknown): Uint8Array<ArrayBuffer> => {
  const text = JSON.stringify(value, null, 1)
  return new TextEncoder().encode(`${text}\n${toBase64Url(macOf(key, name, text))}\n`).slice()
}

/** Returns the JSON of a signed text; undefined if a byte was changed, or another key signed it. */
export const openText = (key: KeyObject, name: string, bytes: Uint8Array): string | undefined => {
  let whole: string
  try {
    whole = utf8.decode(bytes)
  } catch {
    return undefined
  }
  const [, text, line] = /^([\s\S]*)\n([A-Za-z0-9_-]{43})\n$/.exec(whole) ?? []
  const mac = fromBase64Url(line ?? "")
  if (text === undefined || mac?.length !== 32) return undefined
  return timingSafeEqual(mac, macOf(key, name, text)) ? text : undefined
}
