import { verifyBytes } from "../../../core/identity/didKey.ts"
import { blobCids } from "../../../core/lexicon/Lexicons.ts"
import { decodeForeignCommit } from "../../../core/repo/commit.ts"
import { cidForCbor, parseCid } from "../../../core/repo/cid.ts"
import { readRecord } from "../../../core/repo/import/record.ts"
import { buildClusters, type MstEntry } from "../../../core/repo/mst/build.ts"
import { decodeCluster } from "../../../core/repo/mst/clusterCodec.ts"
import type { SqlStorage } from "../../../services/host/SqlStorage.ts"
import type { Head } from "../../../services/repo/Repo.ts"
import { backlinkOf } from "../../../services/repo/write/backlink.ts"
import { insertCluster } from "../../repo/BlockStoreSqlite.ts"
import { type SourceDatabase, textOf } from "./sourceDatabase.ts"

/** An account's data is damaged or incomplete. */
export class Unadoptable extends Error {
  override readonly name = "Unadoptable"
}

/** A repo that was verified. */
export interface AdoptedRepo {
  readonly head: Head
  readonly collections: ReadonlyArray<string>
  /** The blobs that records refer to. */
  readonly blobs: ReadonlySet<string>
  /** Records that were taken down: path and reference. */
  readonly takedowns: ReadonlyArray<readonly [path: string, ref: string]>
}

const bytes = (value: unknown): Uint8Array => {
  if (value instanceof Uint8Array) return value
  throw new Unadoptable("a block of its repo is missing")
}

const commitOf = (source: SourceDatabase, did: string, didKey: string) => {
  const [root] = source.rows(
    `SELECT repo_root.cid, rev, content FROM repo_root
      LEFT JOIN repo_block ON repo_block.cid = repo_root.cid WHERE did = ?`,
    did
  )
  if (root === undefined) throw new Unadoptable("its store has no repo")
  const block = bytes(root["content"])
  const cid = parseCid(String(root["cid"]))
  const commit = decodeForeignCommit(block)
  if (!cidForCbor(block).equals(cid)) throw new Unadoptable("its commit is damaged")
  if (commit.did !== did) throw new Unadoptable(`its commit belongs to ${commit.did}`)
  if (commit.rev === undefined || commit.rev !== root["rev"]) {
    throw new Unadoptable("its commit has another rev than its store says")
  }
  if (!verifyBytes(didKey, commit.unsigned, commit.sig)) {
    throw new Unadoptable("its commit is not signed with its key")
  }
  return { cid, block, rev: commit.rev, data: commit.data }
}

const insertRecord = (
  sql: SqlStorage["Service"],
  path: string,
  row: { readonly cid: Uint8Array; readonly rev: string; readonly value: Uint8Array },
  fields: object,
  blobs: Iterable<string>
): void => {
  sql.exec(
    "INSERT INTO record (path, cid, rev, value) VALUES (?, ?, ?, ?)",
    path,
    row.cid,
    row.rev,
    row.value
  )
  const link = backlinkOf(path, fields)
  if (link !== undefined) {
    sql.exec(
      "INSERT OR REPLACE INTO backlink (collection, subject, path) VALUES (?, ?, ?)",
      link.collection,
      link.subject,
      path
    )
  }
  for (const blob of blobs) {
    sql.exec("INSERT INTO blob_ref (path, cid) VALUES (?, ?)", path, blob)
  }
}

/**
 * Verifies a repo and copies it, if there is a storage to copy it to; throws Unadoptable and the
 * errors of the core's readers.
 *
 * The tree is built again from the records: an equal root proves that none is missing or changed.
 */
export const adoptRepo = (
  source: SourceDatabase,
  { did, didKey }: { readonly did: string; readonly didKey: string },
  sql: SqlStorage["Service"] | undefined
): AdoptedRepo => {
  const commit = commitOf(source, did, didKey)
  const blobs = new Set<string>()
  const collections = new Set<string>()
  const takedowns: Array<readonly [string, string]> = []
  let records = 0
  let nodes = 0

  const entries = function* (): Generator<MstEntry> {
    const rows = source.rows(
      `SELECT collection, rkey, record.cid, record.repoRev, takedownRef, content FROM record
        LEFT JOIN repo_block ON repo_block.cid = record.cid ORDER BY collection || '/' || rkey`
    )
    for (const row of rows) {
      const collection = String(row["collection"])
      const path = `${collection}/${String(row["rkey"])}`
      if (row["content"] === null) throw new Unadoptable(`the record ${path} is missing`)
      const value = bytes(row["content"])
      const cid = parseCid(String(row["cid"]))
      const { fields } = readRecord({ cid, bytes: value }, path)
      const refs = new Set(blobCids(fields))
      for (const ref of refs) blobs.add(ref)
      collections.add(collection)
      records += 1
      const ref = textOf(row, "takedownRef")
      if (ref !== undefined) takedowns.push([path, ref])
      if (sql !== undefined) {
        const rev = String(row["repoRev"])
        insertRecord(sql, path, { cid: cid.bytes, rev, value }, fields, refs)
      }
      yield [path, cid]
    }
  }

  const clusters = buildClusters(entries())
  let next = clusters.next()
  for (; next.done !== true; next = clusters.next()) {
    nodes += decodeCluster(next.value.bytes).length
    if (sql !== undefined) insertCluster(sql, "cluster", next.value, commit.rev)
  }
  if (!next.value.equals(commit.data)) {
    throw new Unadoptable("its records are not those that its commit names")
  }
  const { cid, block, rev, data } = commit
  const head: Head = { commit: cid, block, rev, root: data, records, nodes }
  return { head, collections: [...collections], blobs, takedowns }
}
