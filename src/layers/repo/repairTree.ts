import { sameBytes } from "../../core/bytes/bytes.ts"
import { verifyBytes } from "../../core/identity/didKey.ts"
import { Cid, cidForCbor, sha256 } from "../../core/repo/cid.ts"
import { decodeCommit, unsignedCommitBytes } from "../../core/repo/commit.ts"
import { buildClusters, type MstEntry } from "../../core/repo/mst/build.ts"
import { decodeCluster } from "../../core/repo/mst/clusterCodec.ts"
import type { Cluster } from "../../core/repo/mst/clusters.ts"
import { isMstKey } from "../../core/repo/mst/key.ts"
import { salvage } from "../../core/repo/mst/salvage.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { BlockStore } from "../../services/repo/BlockStore.ts"
import type { Records, StoredRecord } from "../../services/repo/Records.ts"
import type { Head } from "../../services/repo/Repo.ts"
import type { Examined } from "../../services/repo/RepoRepair.ts"
import { Findings } from "./repairFindings.ts"
import { References } from "./repairReferences.ts"

/** Records, and their bytes, that are read at a time. */
const pageRows = 200
const pageBytes = 512 * 1024

/** Clusters built between two pauses for other requests. */
const stride = 4

/** The most bytes of a rebuilt tree and of differences that are kept: about 500,000 records. */
const maxMemory = 48_000_000

/** Thrown if the repo is too large to be rebuilt in memory. */
export class TooManyRecords extends Error {
  override readonly name = "TooManyRecords"
}

/** The parts of an account's object that an examination reads. */
export interface RepoParts {
  readonly sql: SqlStorage["Service"]
  readonly records: Records["Service"]
  readonly blocks: BlockStore["Service"]
  readonly did: string
  readonly signingKey: string
  /** The stored head, not one in memory. */
  readonly head: Head
}

/** A repo as its records make it, and how the stored one differs. */
export interface Rebuilt {
  readonly examined: Examined
  readonly root: Cid
  readonly clusters: ReadonlyArray<Cluster>
  readonly references: References
  /** Sound records under a wrong CID, with the right one. */
  readonly renamed: ReadonlyArray<MstEntry>
  /** The paths of all damaged records. */
  readonly damaged: ReadonlyArray<string>
}

const isOf = ({ value }: StoredRecord, cid: Cid): boolean => sameBytes(sha256(value), cid.digest)

/** Why a stored head isn't a signed commit of this account; undefined if it is. */
const commitProblem = ({ did, head, signingKey }: RepoParts): string | undefined => {
  try {
    if (!cidForCbor(head.block).equals(head.commit)) return "its bytes don't match its CID"
    const { data, prev, rev, sig, did: author } = decodeCommit(head.block)
    if (author !== did) return `it is of ${author}`
    if (!data.equals(head.root) || rev !== head.rev) return "it isn't the one that the head names"
    const unsigned = unsignedCommitBytes({ did, data, rev, prev })
    return verifyBytes(signingKey, unsigned, sig)
      ? undefined
      : "it isn't signed with the account's key"
  } catch (error) {
    return error instanceof Error ? error.message : "it can't be read"
  }
}

/** Builds the tree of the records and compares everything with it; pauses at each `yield`. */
export function* rebuild(parts: RepoParts): Generator<void, Rebuilt> {
  const { blocks, head, records, sql } = parts
  const found = new Findings()
  const references = new References(sql, found)
  const renamed: Array<MstEntry> = []
  const damaged: Array<string> = []
  const tree = salvage(blocks.reader, head.root, (cid, reason) => found.lostNode(cid, reason))
  let entry = tree.next()

  /** The tree's CID at a path; reports the entries before it, which have no record. */
  const treeAt = (path: string): Cid | undefined => {
    while (entry.done !== true && entry.value[0] < path) {
      found.dropEntry(entry.value[0])
      entry = tree.next()
    }
    if (entry.done === true || entry.value[0] !== path) return undefined
    const [, cid] = entry.value
    entry = tree.next()
    return cid
  }

  /** The CID of a record's bytes, if it is the one that its row or the tree names. */
  const soundCid = (record: StoredRecord, named: Cid | undefined): Cid | undefined => {
    const { cid, path } = record
    if (!isMstKey(path)) return undefined
    if (isOf(record, cid)) return cid
    if (named === undefined || !isOf(record, named)) return undefined
    renamed.push([path, named])
    found.say(`the record ${path} is stored under a wrong CID`)
    return named
  }

  const entries = function* (): Generator<MstEntry> {
    let after = ""
    while (true) {
      const page = records
        .from(after, pageRows, pageBytes)
        .filter(({ path }) => path !== after || after === "")
      const last = page.at(-1)?.path
      if (last === undefined) return
      const sound: Array<StoredRecord> = []
      for (const record of page) {
        const { path } = record
        const named = treeAt(path)
        const cid = soundCid(record, named)
        if (cid === undefined) {
          damaged.push(path)
          found.damage(path, "its bytes aren't those that its CID names")
          continue
        }
        if (named === undefined) found.missing(path)
        else if (!named.equals(cid)) found.tree(`the tree names another version of ${path}`)
        sound.push(record)
        yield [path, cid]
      }
      references.take(sound)
      after = last
    }
  }

  let count = 0
  const counted = function* (): Generator<MstEntry> {
    for (const one of entries()) {
      count += 1
      yield one
    }
  }
  const clusters: Array<Cluster> = []
  const building = buildClusters(counted())
  let nodes = 0
  let bytes = 0
  let built = building.next()
  for (; built.done !== true; built = building.next()) {
    nodes += decodeCluster(built.value.bytes).length
    bytes += built.value.bytes.length
    clusters.push(built.value)
    if (bytes + references.memory > maxMemory) throw new TooManyRecords("it has too many records")
    if (clusters.length % stride === 0) yield
  }
  treeAt("\uffff")
  yield
  references.end(records)
  yield
  // A damaged record is in the tree, but not in the one that was built.
  const isWhole = damaged.length === 0
  found.endTree(!isWhole || built.value.equals(head.root))
  const stored = Number(sql.exec("SELECT COUNT(*) AS n FROM cluster").toArray()[0]?.["n"])
  if (isWhole && stored > clusters.length)
    found.tree(`${stored - clusters.length} rows belong to no tree`)
  const all = count + damaged.length
  if (head.records !== all) {
    found.say(`the head counts ${head.records} records, the repo has ${all}`)
  }
  if (isWhole && head.nodes !== nodes) {
    found.say(`the head counts ${head.nodes} nodes, the repo has ${nodes}`)
  }
  const problem = commitProblem(parts)
  if (problem !== undefined) found.say(`the signed commit is damaged: ${problem}`)
  return {
    examined: found.seen(head.rev, count, nodes),
    root: built.value,
    clusters,
    references,
    renamed,
    damaged
  }
}
