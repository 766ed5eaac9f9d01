import * as Lexicons from "../../lexicon/Lexicons.ts"
import { parseCid } from "../../repo/cid.ts"
import type { BlobIndex } from "../BlobIndex.ts"
import type { RecordData } from "../Repo.ts"

const places = ["avatar", "banner"] as const

/**
 * Names the pictures of a profile as today where it names them as before 2023, by CID and type alone.
 *
 * Such a profile is in many repos, and comes back so from whoever edits the rest of it. A picture that is not here is
 * left as it is, to be refused.
 */
export const nameOldPictures = (
  record: RecordData,
  blobs: Pick<BlobIndex["Service"], "locate">
): RecordData => {
  const named: { -readonly [key in keyof RecordData]: RecordData[key] } = { ...record }
  for (const place of places) {
    const old = record[place]
    if (!Lexicons.isLegacyBlob(old)) continue
    // SAFETY: this is the form that was just looked for.
    const blob = blobs.locate((old as { readonly cid: string }).cid)
    if (blob === undefined) continue
    const { cid, mimeType, size } = blob
    named[place] = { $type: "blob", ref: parseCid(cid), mimeType, size }
  }
  return named
}
