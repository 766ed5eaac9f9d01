// RFC 6749, appendix A.4: printable ASCII without the space, `"` and `\`.
const tokens = /^[!#-[\]-~]+( [!#-[\]-~]+)*$/

/**
 * The values of a scope, separated by single spaces; undefined if the syntax is invalid (RFC 6749,
 * section 3.3).
 */
export const scopeValues = (text: string): ReadonlyArray<string> | undefined =>
  tokens.test(text) ? text.split(" ") : undefined
