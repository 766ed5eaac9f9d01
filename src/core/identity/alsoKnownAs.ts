import { isHandle, normalizeHandle } from "../lexicon/syntax.ts"

/** The handle in an `alsoKnownAs` entry, in lower case; undefined for any other entry. */
const handleIn = (name: string): string | undefined => {
  const handle = name.startsWith("at://") ? name.slice("at://".length) : undefined
  return handle !== undefined && isHandle(handle) ? normalizeHandle(handle) : undefined
}

/** The handle that a DID claims: its first valid `at://` name. A claim proves nothing by itself. */
export const claimedHandle = (names: ReadonlyArray<string>): string | undefined =>
  names.map(handleIn).find((handle) => handle !== undefined)

/**
 * The names with their first handle replaced; undefined if they claim the new one already.
 *
 * Other names keep their positions. Without a handle, the new one goes first.
 */
export const withHandle = (
  names: ReadonlyArray<string>,
  handle: string
): ReadonlyArray<string> | undefined => {
  if (claimedHandle(names) === handle) return undefined
  const at = names.findIndex((name) => handleIn(name) !== undefined)
  const others = (from: number, to?: number) =>
    names.slice(from, to).filter((name) => handleIn(name) !== handle)
  return [...others(0, Math.max(at, 0)), `at://${handle}`, ...others(at + 1)]
}
