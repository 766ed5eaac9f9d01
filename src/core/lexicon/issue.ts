/** Why a value was refused: where (`embed.images[0].alt`, empty for the whole) and what for. */
export interface Issue {
  readonly path: string
  readonly message: string
}

/** A checked value, or the first issue found in it. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issue: Issue }

/** A compiled check: undefined for a good value, so that a good value costs no allocation. */
export type Check = (value: unknown) => Issue | undefined

/** An issue with the value that is being checked itself. */
export const refused = (message: string): Issue => ({ path: "", message })

/** The same issue seen from the object that holds the value under `key`. */
export const within = (key: string | number, issue: Issue): Issue => {
  const own = typeof key === "number" ? `[${key}]` : key
  const separator = issue.path === "" || issue.path.startsWith("[") ? "" : "."
  return { path: own + separator + issue.path, message: issue.message }
}
