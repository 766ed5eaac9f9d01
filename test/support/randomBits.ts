const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/** The alphabets of secrets. */
export const alphabets = {
  base32: "abcdefghijklmnopqrstuvwxyz234567",
  crockford: "0123456789abcdefghjkmnpqrstvwxyz",
  base64: `${letters}+/`,
  base64url: `${letters}-_`
} as const

const digitsOf = (text: string, alphabet: string): ReadonlyArray<number> => {
  const written =
    alphabet.length === 64 ? text.replace(/=$/, "") : text.toLowerCase().replaceAll("-", "")
  return Array.from(written, (letter) => alphabet.indexOf(letter))
}

/**
 * How many bits of these secrets take both values among them.
 *
 * In 64 random secrets, a given bit is constant once in 2^63 runs.
 */
export const variedBits = (texts: ReadonlyArray<string>, alphabet: string): number => {
  const [first = [], ...others] = texts.map((text) => digitsOf(text, alphabet))
  return first
    .map((digit, at) =>
      others.reduce((varied, other) => varied | (digit ^ (other[at] ?? digit)), 0)
    )
    .reduce((bits, varied) => bits + varied.toString(2).replaceAll("0", "").length, 0)
}
