const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

/** Formats 80 random bits as `xxxx-xxxx-xxxx-xxxx` in base32. */
export const formatAppPassword = (bytes: Uint8Array): string => {
  let text = ""
  let bits = 0
  let buffer = 0
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(buffer >> bits) & 31]
    }
    buffer &= (1 << bits) - 1
  }
  return (text.match(/.{1,4}/g) ?? []).join("-")
}

/** Whether a text has the form of an app password. */
export const isAppPassword = (text: string): boolean => /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/.test(text)
