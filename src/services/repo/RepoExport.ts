import { carBlockLength, CarChunks, carHeader } from "../../core/repo/car.ts"
import type { Cid } from "../../core/repo/cid.ts"
import type { Node } from "../../core/repo/mst/node.ts"
import { preOrder } from "../../core/repo/mst/preOrder.ts"
import type { BlockStore } from "./BlockStore.ts"
import type { CarShare, Records } from "./Records.ts"
import type { Snapshot } from "./Repo.ts"

/**
 * Rows, and their bytes, that one read of the record table returns: the memory that a stalled
 * reader holds.
 */
const pageRows = 500
const pageBytes = 256 * 1024

/**
 * Items measured between two pauses for other requests: records, clusters, steps through the tree.
 */
const strides = { records: 4000, clusters: 32, steps: 1000 }

/**
 * An export's length in bytes, and what it omits: records, and clusters with all below them, by
 * their number in the walk.
 */
export interface ExportPlan {
  readonly length: number
  isLeftOut(record: number): boolean
  isClusterLeftOut(cluster: number): boolean
}

/** The plan of an export that omits nothing. */
export const wholeRepo = { isLeftOut: () => false, isClusterLeftOut: () => false }

/** A set of small numbers, added in ascending order. */
class Bits {
  #words = new Uint8Array(64)

  add(n: number): void {
    const at = n >>> 3
    if (at >= this.#words.length) {
      const words = new Uint8Array(2 * at)
      words.set(this.#words)
      this.#words = words
    }
    this.#words[at]! |= 1 << (n & 7)
  }

  has(n: number): boolean {
    return ((this.#words[n >>> 3] ?? 0) & (1 << (n & 7))) !== 0
  }
}

/** The stores that an export reads. */
export interface RepoStores {
  readonly records: Records["Service"]
  readonly blocks: BlockStore["Service"]
}

/**
 * Measures an export before its first byte is sent: only a client that knows the length notices an
 * interrupted transfer.
 *
 * Yields to let other requests run. With `since`, omits the records and the clusters of the tree
 * that were last written before it: a change below a cluster writes the cluster too.
 */
export function* measureExport(
  snapshot: Snapshot,
  stores: RepoStores,
  since: string | undefined
): Generator<void, ExportPlan> {
  const { head } = snapshot
  const start = carHeader(head.commit).length + carBlockLength(head.block.length)
  const quick = since === undefined ? yield* sumOfRows(snapshot, stores) : undefined
  if (quick !== undefined) return { length: start + quick, ...wholeRepo }
  const walked = yield* walk(snapshot, stores, since)
  return { ...walked, length: start + walked.length }
}

/**
 * The CAR bytes of all rows; undefined if a write came in between, because the rows no longer match
 * the snapshot.
 */
function* sumOfRows(
  { isCurrent }: Snapshot,
  { records, blocks }: RepoStores
): Generator<void, number | undefined> {
  const ofRecords = yield* sum(isCurrent, "", (after) => records.carShare(after, strides.records))
  const ofNodes = yield* sum(isCurrent, -1, (after) => blocks.carShare(after, strides.clusters))
  return ofRecords === undefined || ofNodes === undefined ? undefined : ofRecords + ofNodes
}

function* sum<Key>(
  isCurrent: () => boolean,
  first: Key,
  shareOf: (after: Key) => CarShare<Key>
): Generator<void, number | undefined> {
  let total = 0
  let after: Key | undefined = first
  while (isCurrent()) {
    const { length, last }: CarShare<Key> = shareOf(after)
    total += length
    if (last === undefined) return total
    after = last
    yield
  }
  return undefined
}

/**
 * Measures the snapshot's tree, record by record, unaffected by later writes; reads no record
 * blocks.
 */
function* walk(
  { tree, overlay }: Snapshot,
  { records, blocks }: RepoStores,
  since: string | undefined
): Generator<void, ExportPlan> {
  let length = 0
  const leftOut = new Bits()
  const clustersLeftOut = new Bits()
  let cluster = 0
  const isOld = (top: Node): boolean => {
    const n = cluster++
    const rev = since === undefined ? undefined : blocks.revOf(top)
    if (since === undefined || rev === undefined || rev > since) return false
    clustersLeftOut.add(n)
    return true
  }
  const rows = new InStep((path) => records.sizesFrom(path, strides.steps))
  let record = 0
  let steps = 0
  for (const item of preOrder(tree, isOld)) {
    if (item.kind === "node") length += carBlockLength(item.bytes.length)
    else {
      const row = rows.at(item.key)
      const isUnchanged = row?.cid.equals(item.cid) === true
      if (since !== undefined && isUnchanged && row.rev <= since) leftOut.add(record)
      else {
        const size = isUnchanged ? row.length : overlay.get(item.cid.key)?.length
        if (size === undefined) throw new Error(`record block missing: ${item.key}`)
        length += carBlockLength(size)
      }
      record++
    }
    if (++steps % strides.steps === 0) yield
  }
  return {
    length,
    isLeftOut: (n) => leftOut.has(n),
    isClusterLeftOut: (n) => clustersLeftOut.has(n)
  }
}

/**
 * The repo as a CAR: the commit, then the tree in pre-order with the records between its nodes.
 *
 * Reads from the snapshot; holds one page of records and one path of nodes in memory.
 */
export function* exportBlocks(
  snapshot: Snapshot,
  records: Records["Service"],
  plan: Omit<ExportPlan, "length">
): Generator<Uint8Array> {
  const { head, tree } = snapshot
  const chunks = new CarChunks(head.commit)
  const add = chunks.push(head.commit, head.block)
  if (add !== undefined) yield add
  const valueOf = recordReader(snapshot, records)
  let record = 0
  let cluster = 0
  for (const item of preOrder(tree, () => plan.isClusterLeftOut(cluster++))) {
    if (item.kind === "record" && plan.isLeftOut(record++)) continue
    const full = chunks.push(item.cid, item.kind === "node" ? item.bytes : valueOf(item))
    if (full !== undefined) yield full
  }
  const rest = chunks.flush()
  if (rest !== undefined) yield rest
}

/** Reads the blocks of a snapshot's records, which must be asked for in the tree's order. */
const recordReader = ({ overlay }: Snapshot, records: Records["Service"]) => {
  const rows = new InStep((path) => records.from(path, pageRows, pageBytes))
  return ({ key, cid }: { readonly key: string; readonly cid: Cid }): Uint8Array => {
    const row = rows.at(key)
    const value = row?.cid.equals(cid) === true ? row.value : overlay.get(cid.key)
    if (value === undefined) throw new Error(`record block missing: ${key}`)
    return value
  }
}

/** The records of a snapshot in path order, which is one collection after the other. */
export function* snapshotRecords(
  snapshot: Snapshot,
  records: Records["Service"]
): Generator<{ readonly path: string; readonly cid: Cid; readonly value: Uint8Array }> {
  const valueOf = recordReader(snapshot, records)
  for (const item of preOrder(snapshot.tree)) {
    if (item.kind === "record") yield { path: item.key, cid: item.cid, value: valueOf(item) }
  }
}

/** Reads the record table forward in pages, in step with the tree's leaves. */
class InStep<Row extends { readonly path: string }> {
  readonly #read: (path: string) => ReadonlyArray<Row>
  #page: ReadonlyArray<Row> = []
  #at = 0

  constructor(read: (path: string) => ReadonlyArray<Row>) {
    this.#read = read
  }

  /** The row at this path if it still exists; call with ascending paths. */
  at(path: string): Row | undefined {
    while (true) {
      while (this.#at < this.#page.length) {
        const row = this.#page[this.#at]!
        if (row.path === path) return row
        if (row.path > path) return undefined
        this.#at++
      }
      // The next page starts at the path, or after it if that row is gone.
      this.#page = this.#read(path)
      this.#at = 0
      if (this.#page.length === 0) return undefined
    }
  }
}
