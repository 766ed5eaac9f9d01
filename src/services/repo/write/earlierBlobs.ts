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
 * The blob references that the record's earlier version did not have and that must be checked.
 *
 * A record that moved in may name a blob with another type, or one that never arrived; its owner
 * must still be able to edit the rest. A blob that was taken down is always checked.
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

/** The picture fields of a profile. */
const pictures = ["avatar", "banner"]

/**
 * Rewrites blob references from before 2023 (CID and type only) in today's form.
 *
 * Many repos hold such records, and clients send them back when the owner edits another field.
 * Rewrites a reference if the record's earlier version has it, or if it is a profile picture. A
 * reference to a missing blob stays as it is and is rejected later.
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
    // SAFETY: the caller has checked for this form.
    const { cid } = value as { readonly cid: string }
    const blob = isPicture || earlier.has(cid) ? blobs.locate(cid) : undefined
    if (blob === undefined) return value
    return { $type: "blob", ref: parseCid(cid), mimeType: blob.mimeType, size: blob.size }
  }
  const fieldsOf = (
    fields: Readonly<Record<string, unknown>>,
    isPicture: (key: string) => boolean
  ): RecordData =>
    // SAFETY: a record's own values, with blob references in place of objects.
    Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, named(value, isPicture(key))])
    ) as RecordData
  return fieldsOf(record, (key) => isProfile && pictures.includes(key))
}
