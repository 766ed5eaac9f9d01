import { closeSync, fsyncSync, openSync } from "node:fs"
import { dirname } from "node:path"

/** Makes a file's content, or the names in a folder, survive a power cut. */
export const sync = (path: string): void => {
  const file = openSync(path, "r")
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/**
 * Makes a new file's name survive a power cut, with the names of the folders above it.
 *
 * Folders that were there are synced too: an earlier process may have been killed before it did that.
 */
export const syncNames = (path: string, { levels }: { readonly levels: number }): void => {
  let folder = dirname(path)
  for (let level = 0; level < levels; level++, folder = dirname(folder)) sync(folder)
}
