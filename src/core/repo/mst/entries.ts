import type { Cid } from "../cid.ts"
import { lowerBound } from "./key.ts"
import type { Loader } from "./loader.ts"
import type { Content, Node } from "./node.ts"

/**
 * A node on the way down, and the position of the walk: even numbers are subtrees, odd ones keys.
 */
interface Frame {
  readonly content: Content
  at: number
}

/**
 * The keys after `from` with their values, ascending; with `reverse`, those before it, descending.
 */
export function* entries(
  loader: Loader,
  root: Node,
  from: string | undefined,
  reverse: boolean
): Generator<[key: string, value: Cid]> {
  const stack: Array<Frame> = []
  const step = reverse ? -1 : 1
  const enter = (child: Node | undefined, seek: string | undefined): void => {
    for (let node = child; node !== undefined;) {
      const resident = loader.resident(node)
      const content = loader.peek(resident)
      const place = placeIn(content, seek, reverse)
      stack.push({ content, at: 2 * place + step })
      node = content.children[place]
    }
  }
  enter(root, from)
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const { content, at } = frame
    if (at < 0 || at > 2 * content.keys.length) {
      stack.pop()
      continue
    }
    frame.at += step
    if (at % 2 === 1) yield [content.keys[at >>> 1]!, content.values[at >>> 1]!]
    else enter(content.children[at >>> 1], undefined)
  }
}

/** The position at which a walk starts that skips everything up to `seek`. */
const placeIn = (content: Content, seek: string | undefined, reverse: boolean): number => {
  const { keys } = content
  if (seek === undefined) return reverse ? keys.length : 0
  const at = lowerBound(keys, seek)
  return !reverse && keys[at] === seek ? at + 1 : at
}
