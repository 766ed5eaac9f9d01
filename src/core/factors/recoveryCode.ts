// Crockford's base32: no letter that is mistaken for a digit, and no u.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

/** How many characters a code has: 50 random bits. */
const length = 10

/** How many random bytes one code takes. */
export const recoveryCodeBytes = length

/** Writes random bytes, five bits of each, as `xxxxx-xxxxx`. */
export const formatRecoveryCode = (bytes: Uint8Array): string => {
  const text = Array.from(bytes.subarray(0, length), (byte) => alphabet[byte & 31]).join("")
  return `${text.slice(0, length / 2)}-${text.slice(length / 2)}`
}

/**
 * The one form of what somebody typed as a recovery code: without case, dashes and blanks, and with
 * look-alikes as the characters they stand for; undefined for what cannot be one.
 */
export const normalizeRecoveryCode = (typed: string): string | undefined => {
  if (typed.length > 64) return undefined
  const text = typed.toLowerCase().replace(/[\s-]/g, "").replaceAll("o", "0").replace(/[il]/g, "1")
  return /^[0-9a-hjkmnp-tv-z]{10}$/.test(text) ? text : undefined
}
