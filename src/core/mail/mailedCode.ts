const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

/** How many random bytes one code takes. */
export const mailedCodeBytes = 10

/** Writes random bytes, five bits of each, as `XXXXX-XXXXX` in base32. */
export const formatMailedCode = (bytes: Uint8Array): string => {
  const text = Array.from(bytes.subarray(0, mailedCodeBytes), (byte) => alphabet[byte & 31]).join(
    ""
  )
  return `${text.slice(0, 5)}-${text.slice(5)}`
}

/** The one form of what somebody typed as a mailed code: case, dash and blanks do not count; undefined for what cannot be one. */
export const normalizeMailedCode = (typed: string): string | undefined => {
  if (typed.length > 64) return undefined
  const text = typed.toUpperCase().replace(/[\s-]/g, "")
  return /^[A-Z2-7]{10}$/.test(text) ? `${text.slice(0, 5)}-${text.slice(5)}` : undefined
}
