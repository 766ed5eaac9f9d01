import { base64url } from "multiformats/bases/base64"

/** Writes bytes as base64url without padding. */
export const toBase64Url = (bytes: Uint8Array): string => base64url.baseEncode(bytes)

/** Reads base64url without padding, strictly; undefined where it is malformed. */
export const fromBase64Url = (text: string): Uint8Array | undefined => {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined
  try {
    return base64url.baseDecode(text)
  } catch {
    return undefined
  }
}
