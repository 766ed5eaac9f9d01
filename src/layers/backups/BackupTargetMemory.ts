import type { BackupTargetShape } from "../../services/backups/BackupTarget.ts"
import * as BlobStoreMemory from "../blobs/BlobStoreMemory.ts"
import * as BackupTargetBlobs from "./BackupTargetBlobs.ts"

const pageSize = 1000

/** A backup store over a map, for tests and drills. */
export const make = (objects: Map<string, Uint8Array> = new Map()): BackupTargetShape =>
  BackupTargetBlobs.make("memory", BlobStoreMemory.make(objects), async (prefix, cursor = "") => {
    const keys = [...objects.keys()]
      .filter((key) => key.startsWith(prefix) && key > cursor)
      .toSorted()
    const page = keys.slice(0, pageSize)
    const listed = page.map((key) => ({ key, size: objects.get(key)?.byteLength ?? 0 }))
    const last = page.at(-1)
    return keys.length > pageSize && last !== undefined
      ? { objects: listed, cursor: last }
      : { objects: listed }
  })
