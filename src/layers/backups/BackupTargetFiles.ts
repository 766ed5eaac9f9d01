import { readdir, rm, stat } from "node:fs/promises"
import { join, relative, sep } from "node:path"
import * as Effect from "effect/Effect"
import type { BackupObject, BackupTargetShape } from "../../services/backups/BackupTarget.ts"
import * as BlobStoreFiles from "../blobs/BlobStoreFiles.ts"
import * as BackupTargetBlobs from "./BackupTargetBlobs.ts"

const pageSize = 1000

/**
 * A part of a key as names that every file system takes, and that stay below their folder.
 *
 * A name is at most 255 bytes long. A longer one, of a DID with a long host, ends in `~` and
 * continues in the folder below.
 */
const namesOf = (part: string): ReadonlyArray<string> => {
  const name = encodeURIComponent(part)
    .replace(/^\.+$/, (dots) => "%2E".repeat(dots.length))
    .replace(/~$/, "%7E")
  const pieces = name.length > 255 ? (name.match(/.{1,240}/g) ?? []) : [name]
  return pieces.map((piece, at) => (at < pieces.length - 1 ? `${piece}~` : piece))
}

const place = (key: string): string => join("objects", ...key.split("/").flatMap(namesOf))

const keyAt = (path: string): string =>
  path.split(sep).join("/").replaceAll("~/", "").split("/").map(decodeURIComponent).join("/")

/** A backup store in a folder, such as a mounted disk. */
export const make = (folder: string): BackupTargetShape => {
  const top = join(folder, "objects")

  const keys = async (): Promise<Array<string>> => {
    const entries = await readdir(top, { recursive: true, withFileTypes: true }).catch(
      (error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
        throw error
      }
    )
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => keyAt(relative(top, join(entry.parentPath, entry.name))))
      .toSorted()
  }

  const list = async (prefix: string, cursor: string | undefined) => {
    const found = (await keys()).filter(
      (key) => key.startsWith(prefix) && (cursor === undefined || key > cursor)
    )
    const objects: Array<BackupObject> = []
    for (const key of found.slice(0, pageSize)) {
      objects.push({ key, size: (await stat(join(folder, place(key)))).size })
    }
    const last = objects.at(-1)
    return found.length > pageSize && last !== undefined
      ? { objects, cursor: last.key }
      : { objects }
  }

  return BackupTargetBlobs.make(folder, BlobStoreFiles.make(folder, place), list)
}

/** When nobody writes a draft any longer, in milliseconds: another server may use the same folder. */
const abandoned = 86_400_000

/** Removes what a process that was killed in a backup left behind. */
const removeDrafts = async (folder: string): Promise<void> => {
  const drafts = join(folder, "tmp")
  for (const name of await readdir(drafts)) {
    const draft = join(drafts, name)
    const { mtimeMs } = await stat(draft)
    if (Date.now() - mtimeMs > abandoned) await rm(draft)
  }
}

/** The backup store in a folder, without old drafts; a disk that isn't mounted yet may come later. */
export const open = (folder: string): Effect.Effect<BackupTargetShape> =>
  Effect.as(Effect.ignore(Effect.tryPromise(() => removeDrafts(folder))), make(folder))
