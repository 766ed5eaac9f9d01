import { at, type JsonObject, isObject, objectAt, textAt } from "./json.ts"
import { authorityOf, type LocalPost, parentOf } from "./local.ts"

/**
 * The positions of posts in the OP's thread, by URI; undefined if the AppView doesn't number them.
 */
export type OpNumbers = ReadonlyMap<string, number> | undefined

const numberAt = (item: unknown, name: string): number | undefined => {
  const number = at(item, "value", name)
  return typeof number === "number" ? number : undefined
}

const indexOf = (item: unknown) => numberAt(item, "opThreadPostIndex")

const isOpThread = (item: unknown): boolean => at(item, "value", "opThread") === true

/**
 * Numbers the caller's new posts, oldest first, that extend the OP's thread: the line of posts in
 * which the first one's author replies to themself, which the oldest of several replies continues.
 */
export const opNumbers = (
  items: ReadonlyArray<unknown>,
  posts: ReadonlyArray<LocalPost>,
  root: string,
  did: string
): OpNumbers => {
  const numbers = new Map<string, number>()
  if (authorityOf(root) !== did) return numbers
  const line = items.filter(isOpThread)
  const numbered = line.filter((item) => indexOf(item) !== undefined)
  if (numbered.length === 0) {
    const isRoot = (part: unknown) => textAt(part, "uri") === root
    // Only the first post has no number; if another one lacks it, the AppView doesn't number the
    // thread.
    if (line.some((item) => !isRoot(item)) || ![...items, ...posts].some(isRoot)) return undefined
    numbers.set(root, 1)
  } else {
    const end = numbered.find((item) => indexOf(item) === numberAt(item, "opThreadPostCount"))
    if (end === undefined) return numbers
    numbers.set(textAt(end, "uri") ?? "", indexOf(end)!)
  }
  let [last] = numbers.keys()
  for (;;) {
    const next = posts.find((post) => parentOf(post) === last && !numbers.has(post.uri))
    if (next === undefined) return numbers
    numbers.set(next.uri, numbers.get(last!)! + 1)
    last = next.uri
  }
}

/** The items with their positions in the OP's thread, if the caller's posts extend it. */
export const numberItems = (
  items: ReadonlyArray<unknown>,
  numbers: OpNumbers
): ReadonlyArray<unknown> => {
  if (numbers === undefined || numbers.size < 2) return items
  const opThreadPostCount = Math.max(...numbers.values())
  return items.map((item) => {
    const opThreadPostIndex = indexOf(item) ?? numbers.get(textAt(item, "uri") ?? "")
    if (!isObject(item) || opThreadPostIndex === undefined) return item
    const value: JsonObject = { ...objectAt(item, "value"), opThreadPostIndex, opThreadPostCount }
    return { ...item, value }
  })
}
