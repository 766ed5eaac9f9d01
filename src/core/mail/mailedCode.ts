const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

/** The number of random bytes for one code. */
export const mailedCodeBytes = 10

/** Formats random bytes, five bits of each, as `XXXXX-XXXXX` in base32. */
export const formatMailedCode = (bytes: Uint8Array): string => {
  const text = Array.from(bytes.subarray(0, mailedCodeBytes), (byte) => alphabet[byte & 31]).join(
    ""
  )
  return `${text.slice(0, 5)}-${text.slice(5)}`
}

/** Normalizes a typed code: ignores case, dash and blanks; undefined if it can't be one. */
export const normalizeMailedCode = (typed: string): string | undefined => {
  if (typed.length > 64) return undefined
  const text = typed.toUpperCase().replace(/[\s-]/g, "")
  return /^[A-Z2-7]{10}$/.test(text) ? `${text.slice(0, 5)}-${text.slice(5)}` : undefined
}
