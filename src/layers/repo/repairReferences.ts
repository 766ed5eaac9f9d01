import { blobCids } from "../../core/lexicon/Lexicons.ts"
import { readStoredRecord } from "../../core/repo/cborLoose.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { Records, StoredRecord } from "../../services/repo/Records.ts"
import { backlinkOf } from "../../services/repo/write/backlink.ts"
import { addUsage, usage } from "../blobs/blobRows.ts"
import { recountBlobs } from "./importedBlobs.ts"
import type { Findings } from "./repairFindings.ts"

type Sql = SqlStorage["Service"]

interface Link {
  readonly collection: string
  readonly subject: string
  readonly path: string
}

/** How many records refer to each blob. */
const used = "(SELECT cid, COUNT(*) AS refs FROM blob_ref GROUP BY cid) AS used"

/** The rows whose state or count isn't that of their references. */
const wrongRows = `SELECT COUNT(*) AS n FROM blob LEFT JOIN ${used} ON used.cid = blob.id
  WHERE state IN (1, 2, 3) AND (blob.refs <> coalesce(used.refs, 0)
    OR (state = 1) <> (used.refs IS NULL))`

const withoutRow =
  "SELECT DISTINCT cid FROM blob_ref WHERE cid NOT IN (SELECT id FROM blob WHERE state IN (1, 2, 3)) LIMIT 1000"

const sumOfSizes = "SELECT coalesce(sum(size), 0) AS n FROM blob WHERE state IN (1, 3)"

const countOf = (sql: Sql, query: string): number => Number(sql.exec(query).toArray()[0]?.["n"])

/**
 * Compares the references to blobs and the index of likes, reposts, follows and blocks with the
 * records, which come in ascending order, and remembers the differences.
 */
export class References {
  readonly #sql: Sql
  readonly #found: Findings
  /** The blobs of records whose references differ. */
  readonly #refs = new Map<string, ReadonlyArray<string>>()
  readonly #missingLinks: Array<Link> = []
  #surplusLinks: Array<Link> = []
  #links = 0
  #last = ""

  constructor(sql: Sql, found: Findings) {
    this.#sql = sql
    this.#found = found
  }

  /** About how many bytes the differences take. */
  get memory(): number {
    return 300 * (this.#refs.size + this.#missingLinks.length)
  }

  /** Takes the next records; those between this page and the last one don't exist. */
  take(page: ReadonlyArray<StoredRecord>): void {
    const last = page.at(-1)?.path
    if (last === undefined) return
    const stored = this.#storedIn("path > ? AND path <= ?", this.#last, last)
    for (const { path, value } of page) {
      const { fields } = readStoredRecord(value)
      this.#compare(path, [...blobCids(fields)], stored.get(path) ?? [])
      stored.delete(path)
      this.#takeLink(path, fields)
    }
    this.#surplus(stored)
    this.#last = last
  }

  /** Ends the comparison, after the last record. */
  end(records: Records["Service"]): void {
    this.#surplus(this.#storedIn("path > ?", this.#last))
    this.#takeSurplusLinks(records)
    const links = this.#missingLinks.length + this.#surplusLinks.length
    if (links > 0) {
      this.#found.say(
        `${links} entries of the index of likes, reposts, follows and blocks are missing or too many`
      )
    }
    const sql = this.#sql
    const lost = sql.exec<{ cid: string }>(withoutRow).toArray()
    for (const { cid } of lost) this.#found.say(`the reference to the blob ${cid} is lost`)
    const wrong = countOf(sql, wrongRows)
    if (wrong > 0) this.#found.say(`${wrong} blobs have a wrong number of references`)
    if (usage(sql) !== countOf(sql, sumOfSizes)) {
      this.#found.say("the total size of the blobs is wrong")
    }
  }

  /** Corrects the differences, inside of a transaction. */
  correct(rev: string, now: number): void {
    const sql = this.#sql
    for (const [path, cids] of this.#refs) {
      sql.exec("DELETE FROM blob_ref WHERE path = ?", path)
      for (const cid of cids) sql.exec("INSERT INTO blob_ref (path, cid) VALUES (?, ?)", path, cid)
    }
    for (const { collection, subject, path } of this.#surplusLinks) {
      sql.exec(
        "DELETE FROM backlink WHERE collection = ? AND subject = ? AND path = ?",
        collection,
        subject,
        path
      )
    }
    for (const { collection, subject, path } of this.#missingLinks) {
      sql.exec(
        "INSERT OR REPLACE INTO backlink (collection, subject, path) VALUES (?, ?, ?)",
        collection,
        subject,
        path
      )
    }
    recountBlobs(sql, rev, now)
    const wrong = countOf(sql, sumOfSizes) - usage(sql)
    if (wrong !== 0) addUsage(sql, wrong)
  }

  #storedIn(range: string, ...bounds: ReadonlyArray<string>): Map<string, Array<string>> {
    const stored = new Map<string, Array<string>>()
    const query = `SELECT path, cid FROM blob_ref WHERE ${range}`
    for (const [path, cid] of this.#sql.exec(query, ...bounds).raw()) {
      const cids = stored.get(String(path))
      if (cids === undefined) stored.set(String(path), [String(cid)])
      else cids.push(String(cid))
    }
    return stored
  }

  #compare(path: string, wanted: ReadonlyArray<string>, stored: ReadonlyArray<string>): void {
    const lost = wanted.filter((cid) => !stored.includes(cid))
    const surplus = stored.filter((cid) => !wanted.includes(cid))
    if (lost.length + surplus.length === 0) return
    this.#refs.set(path, wanted)
    for (const cid of lost) this.#found.say(`the reference to the blob ${cid} in ${path} is lost`)
    for (const cid of surplus) {
      this.#found.say(`a reference to the blob ${cid} names ${path}, which doesn't contain it`)
    }
  }

  #surplus(stored: ReadonlyMap<string, ReadonlyArray<string>>): void {
    for (const [path, cids] of stored) this.#compare(path, [], cids)
  }

  #takeLink(path: string, fields: object): void {
    const link = backlinkOf(path, fields)
    if (link === undefined) return
    const { collection, subject } = link
    const query = "SELECT 1 FROM backlink WHERE collection = ? AND subject = ? AND path = ?"
    if (this.#sql.exec(query, collection, subject, path).toArray().length > 0) this.#links += 1
    else this.#missingLinks.push({ collection, subject, path })
  }

  /** Looks for entries without a record only if there are more than the records have. */
  #takeSurplusLinks(records: Records["Service"]): void {
    if (countOf(this.#sql, "SELECT COUNT(*) AS n FROM backlink") <= this.#links) return
    const rows = this.#sql.exec("SELECT collection, subject, path FROM backlink").raw()
    const links = Array.from(rows, ([collection, subject, path]) => ({
      collection: String(collection),
      subject: String(subject),
      path: String(path)
    }))
    this.#surplusLinks = links.filter(({ collection, subject, path }) => {
      const record = records.get(path)
      const link = record === undefined ? undefined : backlinkOf(path, record.value)
      return link?.collection !== collection || link.subject !== subject
    })
  }
}
