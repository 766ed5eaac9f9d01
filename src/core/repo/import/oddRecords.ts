import { isNormalNsid, isNsid, isRecordKey } from "../../lexicon/syntax.ts"

/** How many odd records are listed by name. */
const maxNamed = 100

/** An imported record that was kept as it was, although it could not be written here. */
export interface OddRecord {
  /** `collection/rkey` */
  readonly path: string
  readonly reason: string
}

/** The odd records of an import: all are counted, the first are listed. */
export class OddRecords {
  readonly named: Array<OddRecord> = []
  #count = 0

  get count(): number {
    return this.#count
  }

  add(path: string, reason: string): void {
    this.#count++
    if (this.named.length < maxNamed) this.named.push({ path, reason })
  }
}

/** Why no record could be created at this path; undefined if one could. */
export const pathOddity = (path: string): string | undefined => {
  const slash = path.indexOf("/")
  const collection = path.slice(0, slash)
  if (!isNsid(collection)) return "its collection is no NSID"
  if (!isNormalNsid(collection)) return "its collection is not a normalized NSID"
  return isRecordKey(path.slice(slash + 1)) ? undefined : "its key is no record key"
}
