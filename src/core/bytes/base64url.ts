import { base64url } from "multiformats/bases/base64"

/** Encodes bytes as base64url without padding. */
export const toBase64Url = (bytes: Uint8Array): string => base64url.baseEncode(bytes)

/** Decodes base64url without padding, strictly; undefined if it is malformed. */
export const fromBase64Url = (text: string): Uint8Array | undefined => {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined
  try {
    return base64url.baseDecode(text)
  } catch {
    return undefined
  }
}
