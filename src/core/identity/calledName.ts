/** Longer than any DID, handle or address; it bounds the work on a name that is nobody's. */
const maxName = 2500

/** Spaces, control and format characters, which people paste without seeing them. */
const unseen = String.raw`[\s\p{Cc}\p{Cf}]`

const unseenEnds = new RegExp(`^${unseen}+|${unseen}+$`, "gu")
const marks = new RegExp(`^(?:@|at://|${unseen})+`, "iu")

/** What somebody typed, without unseen characters at both ends. */
export const typedText = (text: string): string =>
  text.length > maxName ? text : text.replace(unseenEnds, "")

/**
 * What somebody calls themselves, in the form in which accounts are looked up: a handle or an e-mail address in lower
 * case, or a DID.
 *
 * Takes away unseen characters at both ends, `@` and `at://`.
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
