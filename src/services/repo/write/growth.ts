import type { Records } from "../Records.ts"
import type { Change } from "./plan.ts"

/** How many records these changes add to the repo. */
export const growth = (changes: ReadonlyArray<Change>): number => {
  let grown = 0
  for (const { before, after } of changes) {
    if (before === undefined) grown++
    if (after === undefined) grown--
  }
  return grown
}

/**
 * The collections that appear with these changes, and those whose last record is gone; call it
 * after writing the records.
 */
export const collectionChanges = (
  known: ReadonlySet<string>,
  changes: ReadonlyArray<Change>,
  records: Records["Service"]
): { readonly added: ReadonlyArray<string>; readonly removed: ReadonlyArray<string> } => {
  const added = new Set<string>()
  const removed = new Set<string>()
  for (const { path, after } of changes) {
    const collection = path.slice(0, path.indexOf("/"))
    if (after !== undefined && !known.has(collection)) added.add(collection)
    if (after === undefined && known.has(collection) && !records.hasCollection(collection)) {
      removed.add(collection)
    }
  }
  return { added: [...added], removed: [...removed] }
}
