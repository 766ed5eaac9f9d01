import { readdirSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import type { DatabaseSync as Database } from "node:sqlite"

/** Miniflare's folder with one database per bucket, next to the buckets' own folders. */
const databases = "miniflare-R2BucketObject"

/** A completed multipart upload, in Miniflare's table. */
const completed = 1

/**
 * Deletes the remains of interrupted uploads in the local blob store, since Miniflare never does.
 *
 * `folder` is its `r2` folder. With `isRunning`, a server may be writing there, so only files
 * unchanged for a day are deleted. Returns the number of deleted files.
 */
export async function sweepLocalBlobs(
  folder: string,
  { isRunning, now = Date.now() }: { readonly isRunning: boolean; readonly now?: number }
): Promise<number> {
  const before = isRunning ? now - 24 * 3_600_000 : Infinity
  // Lists files first: a later one may belong to a row that wasn't read.
  const files = filesOf(folder, before)
  if (files.length === 0) return 0
  const { DatabaseSync } = await quietly(() => import("node:sqlite"))
  const named = new Set<unknown>()
  let known = 0
  for (const file of entriesOf(join(folder, databases))) {
    if (!file.endsWith(".sqlite") || file === "metadata.sqlite") continue
    const database = new DatabaseSync(join(folder, databases, file), { readOnly: isRunning })
    try {
      if (!hasTables(database)) continue
      if (!isRunning) forgetBroken(database)
      const rows = database.prepare(
        "SELECT blob_id AS id FROM _mf_objects UNION SELECT blob_id FROM _mf_multipart_parts"
      )
      for (const { id } of rows.all()) named.add(id)
      known++
    } finally {
      database.close()
    }
  }
  // Miniflare has another layout, so nothing is deleted.
  if (known === 0) return 0
  const left = files.filter(({ name }) => !named.has(name))
  for (const { path } of left) rmSync(path, { force: true })
  return left.length
}

/** Node warns at each start that this module is experimental. */
async function quietly<A>(body: () => Promise<A>): Promise<A> {
  const warn = process.emitWarning
  process.emitWarning = () => {}
  try {
    return await body()
  } finally {
    process.emitWarning = warn
  }
}

const entriesOf = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined
    if (code === "ENOENT" || code === "ENOTDIR") return []
    throw cause
  }
}

const filesOf = (folder: string, before: number) =>
  entriesOf(folder).flatMap((bucket) => {
    const blobs = join(folder, bucket, "blobs")
    return entriesOf(blobs)
      .map((name) => ({ name, path: join(blobs, name) }))
      .filter(({ path }) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? before) < before)
  })

const hasTables = (database: Database): boolean =>
  database
    .prepare(
      "SELECT 1 FROM sqlite_master WHERE name IN ('_mf_objects', '_mf_multipart_uploads', '_mf_multipart_parts')"
    )
    .all().length === 3

/** Multipart uploads that were aborted, or still running when the server ended. */
const forgetBroken = (database: Database): void => {
  database.exec("BEGIN IMMEDIATE")
  database.exec(
    `DELETE FROM _mf_multipart_parts WHERE object_key IS NULL AND upload_id IN
      (SELECT upload_id FROM _mf_multipart_uploads WHERE state <> ${completed})`
  )
  database.exec(
    `DELETE FROM _mf_multipart_uploads WHERE state <> ${completed}
      AND upload_id NOT IN (SELECT upload_id FROM _mf_multipart_parts)`
  )
  database.exec("COMMIT")
}
