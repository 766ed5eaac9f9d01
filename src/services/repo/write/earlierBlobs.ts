import { isPlainObject } from "../../../core/lexicon/objects.ts"
import * as Lexicons from "../../../core/lexicon/Lexicons.ts"
import { readStoredRecord } from "../../../core/repo/cborLoose.ts"
import { parseCid } from "../../../core/repo/cid.ts"
import type { BlobIndex, BlobReference } from "../../blobs/BlobIndex.ts"
import type { StoredRecord } from "../Records.ts"
import type { RecordData } from "../Repo.ts"

interface Named {
  readonly cid: string
  readonly mimeType: string
  readonly size: number
}

const keyOf = ({ cid, mimeType, size }: Named): string => `${cid} ${size} ${mimeType}`

/**
 * The references of a record that its earlier version did not have, which must be judged.
 *
 * A record that moved in may name a blob under another type, or one that never came. Its owner must still be able
 * to edit the rest of it. A blob that a moderator has taken down is judged all the same.
 */
export const newReferences = (
  uses: ReadonlyArray<Lexicons.BlobUse>,
  before: StoredRecord | undefined,
  blobs: Pick<BlobIndex["Service"], "takedown">
): ReadonlyArray<BlobReference> => {
  const references = uses.map((use) => ({ ...use, cid: use.cid.toString() }))
  if (before === undefined) return references
  const { fields } = readStoredRecord(before.value)
  const earlier = new Set(
    Lexicons.findBlobs(fields).map((blob) => keyOf({ ...blob, cid: blob.cid.toString() }))
  )
  return references.filter(
    (reference) => !earlier.has(keyOf(reference)) || blobs.takedown(reference.cid) !== undefined
  )
}

/** The two places of a profile that hold a picture. */
const pictures = ["avatar", "banner"]

/**
 * Names blobs as today where a record names them as before 2023, by CID and type alone.
 *
 * Records of that form are in many repos, and come back so from an owner who edits the rest of them. A blob is
 * named anew where the record's earlier version refers to it, or where a profile holds a picture. One that is not
 * here is left as it is, and refused.
 */
export const nameOldBlobs = (
  { collection, rkey, record }: { collection: string; rkey: string; record: RecordData },
  blobs: Pick<BlobIndex["Service"], "locate" | "refs">
): RecordData => {
  if (Lexicons.findLegacyBlobs(record).length === 0) return record
  const earlier = new Set(blobs.refs(`${collection}/${rkey}`))
  const isProfile = collection === "app.bsky.actor.profile"
  const named = (value: unknown, isPicture: boolean): unknown => {
    if (Array.isArray(value)) return value.map((item) => named(item, false))
    if (!isPlainObject(value)) return value
    if (!Lexicons.isLegacyBlob(value)) return fieldsOf(value, () => false)
    // SAFETY: the form that was just looked for.
    const { cid } = value as { readonly cid: string }
    const blob = isPicture || earlier.has(cid) ? blobs.locate(cid) : undefined
    if (blob === undefined) return value
    return { $type: "blob", ref: parseCid(cid), mimeType: blob.mimeType, size: blob.size }
  }
  const fieldsOf = (
    fields: Readonly<Record<string, unknown>>,
    isPicture: (key: string) => boolean
  ): RecordData =>
    // SAFETY: a record's own values, and blob references in place of objects.
    Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, named(value, isPicture(key))])
    ) as RecordData
  return fieldsOf(record, (key) => isProfile && pictures.includes(key))
}
