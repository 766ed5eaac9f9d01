import * as Result from "effect/Result"

/**
 * Why a value is invalid: the path (`embed.images[0].alt`, empty for the whole value) and the
 * reason.
 */
export interface Issue {
  readonly path: string
  readonly message: string
}

/** A checked value, or the first issue found in it. */
export type Checked<T> = Result.Result<T, Issue>

/** A compiled check; returns undefined for a valid value, which therefore costs no allocation. */
export type Check = (value: unknown) => Issue | undefined

/** A value as checked: with its issue, if there is one. */
export const checkedAs = <T>(value: T, issue: Issue | undefined): Checked<T> =>
  issue === undefined ? Result.succeed(value) : Result.fail(issue)

/** An issue with the checked value itself. */
export const refused = (message: string): Issue => ({ path: "", message })

/** The same issue from the view of the object that has the value under `key`. */
export const within = (key: string | number, issue: Issue): Issue => {
  const own = typeof key === "number" ? `[${key}]` : key
  const separator = issue.path === "" || issue.path.startsWith("[") ? "" : "."
  return { path: own + separator + issue.path, message: issue.message }
}
