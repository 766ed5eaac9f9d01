/** Longer than any DID, handle or address; limits the work on invalid names. */
const maxName = 2500

/** Spaces, control and format characters, which people paste unknowingly. */
const unseen = String.raw`[\s\p{Cc}\p{Cf}]`

const unseenEnds = new RegExp(`^${unseen}+|${unseen}+$`, "gu")
const marks = new RegExp(`^(?:@|at://|${unseen})+`, "iu")

/** User input without invisible characters at both ends. */
export const typedText = (text: string): string =>
  text.length > maxName ? text : text.replace(unseenEnds, "")

/**
 * Normalizes a user's login name for look-up: a handle or an email address in lower case, or a DID.
 *
 * Removes invisible characters at both ends, `@` and `at://`.
 */
export const calledName = (text: string): string => {
  const name = typedText(text)
  const bare = name.length > maxName ? name : name.replace(marks, "")
  return /^did:/i.test(bare)
    ? bare.replace(/^did:[a-z0-9]*:/i, (method) => method.toLowerCase())
    : bare.toLowerCase()
}

/** An invite code in its stored form. */
export const inviteCode = (text: string): string => typedText(text).toLowerCase()
