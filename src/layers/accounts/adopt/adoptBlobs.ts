import { createHash } from "node:crypto"
import { createReadStream, existsSync } from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import * as Effect from "effect/Effect"
import { BlobMeter } from "../../../core/blobs/meter.ts"
import type { BlobStore } from "../../../services/blobs/BlobStore.ts"
import type { SqlStorage } from "../../../services/host/SqlStorage.ts"
import { addUsage } from "../../blobs/blobRows.ts"
import { recountBlobs } from "../../repo/importedBlobs.ts"
import { millisOf, type SourceDatabase, textOf } from "./sourceDatabase.ts"
import type { SourcePlaces } from "./sourcePlaces.ts"

/** A stored blob of another server. */
interface SourceBlob {
  readonly cid: string
  readonly mimeType: string
  readonly size: number
  readonly createdAt: number
  readonly takedown: string | undefined
  readonly file: string
}

/** An account's blobs, copied and missing. */
export interface AdoptedBlobs {
  readonly count: number
  readonly bytes: number
  /** Blobs whose file is missing or damaged; their owner can upload them again. */
  readonly missing: ReadonlyArray<string>
  /** Blobs that no record refers to. */
  readonly unused: number
}

const isName = (cid: string): boolean => /^[a-z0-9]+$/.test(cid)

const blobsOf = function* (
  source: SourceDatabase,
  did: string,
  places: SourcePlaces
): Generator<SourceBlob> {
  for (const row of source.rows("SELECT * FROM blob WHERE tempKey IS NULL ORDER BY cid")) {
    const cid = String(row["cid"])
    if (!isName(cid)) continue
    const files = [places.blobs, places.quarantine].map((folder) => join(folder, did, cid))
    yield {
      cid,
      mimeType: String(row["mimeType"]),
      size: Number(row["size"]),
      createdAt: millisOf(row, "createdAt") ?? 0,
      takedown: textOf(row, "takedownRef"),
      file: files.find((file) => existsSync(file)) ?? files[0]!
    }
  }
}

/** A file's CID and size; undefined if it can't be read. */
const measure = (file: string) =>
  Effect.promise(async () => {
    try {
      const meter = new BlobMeter()
      for await (const chunk of createReadStream(file)) meter.update(chunk as Uint8Array)
      return meter.finish()
    } catch {
      return undefined
    }
  })

/** The same key each time, so an adoption that was cut off leaves no second copy. */
const keyOf = (did: string, cid: string): string => {
  const digest = createHash("sha256").update(`${did}\n${cid}`).digest("hex")
  const parts = [0, 8, 12, 16, 20].map((from, at) => digest.slice(from, [8, 12, 16, 20, 32][at]))
  return `${did}/${parts.join("-")}`
}

const copy = (store: BlobStore["Service"], key: string, { file, size }: SourceBlob) =>
  Effect.suspend(() => {
    // SAFETY: Node's web streams are the platform's; only their declarations differ.
    const body = Readable.toWeb(createReadStream(file)) as unknown as ReadableStream<Uint8Array>
    return store.put(key, body, { length: size, limit: size })
  })

/** Verifies an account's blobs, and copies them and their rows if there is a place to copy to. */
export const adoptBlobs = Effect.fnUntraced(function* (
  source: SourceDatabase,
  of: { readonly did: string; readonly rev: string; readonly referred: ReadonlySet<string> },
  places: SourcePlaces,
  to: { readonly sql: SqlStorage["Service"]; readonly store: BlobStore["Service"] } | undefined,
  now: number
) {
  const missing = new Set(of.referred)
  let count = 0
  let bytes = 0
  let unused = 0
  for (const blob of blobsOf(source, of.did, places)) {
    const found = yield* measure(blob.file)
    if (found?.cid !== blob.cid) {
      missing.add(blob.cid)
      continue
    }
    missing.delete(blob.cid)
    count += 1
    bytes += found.size
    if (!of.referred.has(blob.cid)) unused += 1
    if (to === undefined) continue
    const key = keyOf(of.did, blob.cid)
    yield* copy(to.store, key, { ...blob, size: found.size })
    to.sql.exec(
      "INSERT INTO blob (state, id, key, mime, size, since, takedown) VALUES (1, ?, ?, ?, ?, ?, ?)",
      blob.cid,
      key,
      blob.mimeType,
      found.size,
      now,
      blob.takedown ?? null
    )
    addUsage(to.sql, found.size)
  }
  if (to !== undefined) recountBlobs(to.sql, of.rev, now)
  return { count, bytes, unused, missing: [...missing].toSorted() } satisfies AdoptedBlobs
})
