// Crockford's base32: no letter that looks like a digit, and no u.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

/** Length of a code: 50 random bits. */
const length = 10

/** The number of random bytes for one code. */
export const recoveryCodeBytes = length

/** Formats random bytes, five bits of each, as `xxxxx-xxxxx`. */
export const formatRecoveryCode = (bytes: Uint8Array): string => {
  const text = Array.from(bytes.subarray(0, length), (byte) => alphabet[byte & 31]).join("")
  return `${text.slice(0, length / 2)}-${text.slice(length / 2)}`
}

/**
 * Normalizes a typed recovery code: ignores case, dashes and blanks, and replaces look-alikes;
 * undefined if it can't be one.
 */
export const normalizeRecoveryCode = (typed: string): string | undefined => {
  if (typed.length > 64) return undefined
  const text = typed.toLowerCase().replace(/[\s-]/g, "").replaceAll("o", "0").replace(/[il]/g, "1")
  return /^[0-9a-hjkmnp-tv-z]{10}$/.test(text) ? text : undefined
}
