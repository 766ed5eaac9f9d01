import { cidForCbor, type Cid } from "../../../src/core/repo/cid.ts"
import { encode, type Data } from "../../../src/core/repo/cbor.ts"
import type { RepoOp } from "../../../src/core/repo/frame.ts"
import { decodeCluster } from "../../../src/core/repo/mst/clusterCodec.ts"
import { allClusters, type Cluster, clusterDiff } from "../../../src/core/repo/mst/clusters.ts"
import { changeOf } from "../../../src/core/repo/mst/diff.ts"
import { blocksOf } from "../../../src/core/repo/mst/proof.ts"
import { keyLayer } from "../../../src/core/repo/mst/key.ts"
import { type Found, type NodeReader, rootRow } from "../../../src/core/repo/mst/loader.ts"
import { countChildren, decodeNode } from "../../../src/core/repo/mst/node.ts"
import { Tree } from "../../../src/core/repo/mst/Tree.ts"
import { tidFromMicros } from "../../../src/core/repo/tid.ts"

/** A random generator with a seed. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 2654435761) >>> 0
  }

  /** A number from 0 to 1, exclusive (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** An integer from 0 to `below`, exclusive. */
  below(below: number): number {
    return Math.floor(this.next() * below)
  }

  pick<A>(list: ReadonlyArray<A>): A {
    return list[this.below(list.length)]!
  }
}

/** Runs a property for many seeds; a failure names its seed. */
export const forSeeds = (runs: number, property: (chance: Chance, seed: number) => void): void => {
  for (let seed = 1; seed <= runs; seed++) {
    try {
      property(new Chance(seed), seed)
    } catch (error) {
      throw new Error(`with seed ${seed}: ${String(error)}`, { cause: error })
    }
  }
}

/** The CID of the small record with this number. */
export const recordCid = (n: number): Cid => cidForCbor(recordBytes(n))

export const recordBytes = (n: number): Uint8Array =>
  encode({ $type: "com.example.record", text: `record ${n}`, n })

const mined = (): Array<string> => {
  const wanted = [14, 8, 6, 5, 3, 2, 1]
  const keys: Array<string> = []
  for (let n = 0; keys.length < 39; n++) {
    const key = `com.example.record/${(n * 7919) % 100_003}`
    const layer = keyLayer(key)
    if ((wanted[layer] ?? 0) === 0) continue
    wanted[layer]!--
    keys.push(key)
  }
  return keys
}

/**
 * A few keys on layers 0 to 6: they collide often, and adding or removing them changes the tree's
 * height.
 */
export const fewKeys: ReadonlyArray<string> = mined()

/** A key like a client's. */
export const postKey = (chance: Chance): string =>
  `${chance.pick(["app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.graph.follow"])}/${tidFromMicros(
    1_700_000_000_000_000 + chance.below(1_000_000_000),
    chance.below(1024)
  )}`

/** A repo of this many records; always the same. */
export const manyRecords = (count: number): Map<string, Cid> => {
  const chance = new Chance(1)
  return new Map(Array.from({ length: count }, (_, n) => [postKey(chance), recordCid(n % 100)]))
}

/** Keys of one layer, in order. */
export const onLayer = (layer: number, count: number): Array<string> => {
  const keys: Array<string> = []
  for (let n = 0; keys.length < count; n++) {
    const key = `com.example.record/${String(n).padStart(8, "0")}`
    if (keyLayer(key) === layer) keys.push(key)
  }
  return keys
}

/** A store with one block a row, which rejects inconsistent calls. */
export class BlockRows implements NodeReader {
  readonly rows = new Map<string, Uint8Array>()

  read(cid: Cid): Found | undefined {
    const bytes = this.rows.get(cid.key)
    return bytes === undefined ? undefined : { blocks: [bytes] }
  }

  apply(before: Tree, after: Tree): void {
    const { created, removed } = changeOf(before, after)
    for (const cid of removed.map((node) => node.cid!)) {
      if (!this.rows.delete(cid.key)) throw new Error(`removed row ${cid} was not there`)
    }
    for (const { cid, bytes } of blocksOf(created)) {
      if (this.rows.has(cid.key)) throw new Error(`created row ${cid} was there already`)
      this.rows.set(cid.key, bytes)
    }
  }
}

/**
 * A store with one cluster a row, which rejects inconsistent calls and counts the rows that it
 * writes and searches for.
 */
export class ClusterRows implements NodeReader {
  readonly stored = new Map<number, Pick<Cluster, "cid" | "bytes" | "below">>()
  written = 0
  lookedFor = 0
  readonly #links = new WeakMap<Uint8Array, ReadonlyArray<string>>()

  /** A store of one tree. */
  static of(tree: Tree): ClusterRows {
    const store = new ClusterRows()
    for (const cluster of allClusters(tree)) store.stored.set(cluster.row, cluster)
    return store
  }

  /** The bytes of each cluster, by its top's CID. */
  get rows(): Map<string, Uint8Array> {
    return new Map(Array.from(this.stored.values(), ({ cid, bytes }) => [cid.key, bytes]))
  }

  read(cid: Cid, row: number | undefined): Found | undefined {
    const known = row === undefined ? undefined : this.stored.get(row)
    const found = known?.cid.equals(cid) === true ? known : this.stored.get(this.#find(cid) ?? -1)
    return found && { blocks: decodeCluster(found.bytes), below: found.below }
  }

  apply(before: Tree, after: Tree): void {
    let last = Math.max(...this.stored.keys())
    const { removed, written, freed } = clusterDiff(changeOf(before, after), {
      next: () => ++last,
      find: (cid) => this.#find(cid)
    })
    for (const { cid, row } of removed) {
      if (this.stored.get(row)?.cid.equals(cid) !== true) throw new Error(`row ${row} is another`)
    }
    for (const { row, isNew, ...cluster } of written) {
      if (this.stored.has(row) === isNew) throw new Error(`row ${row} is there already, or is not`)
      this.stored.set(row, cluster)
      this.written++
    }
    for (const row of freed) {
      if (!this.stored.delete(row)) throw new Error(`row ${row} was not there`)
      this.written++
    }
  }

  /** The rows whose `below` differs from the clusters that their nodes link to. */
  misled(root: Cid): Array<number> {
    const reached = new Set([rootRow])
    const wrong = this.stored.get(rootRow)?.cid.equals(root) === true ? [] : [rootRow]
    for (const [row, { bytes, below }] of this.stored) {
      const links = this.#links.get(bytes) ?? linksOut(decodeCluster(bytes))
      this.#links.set(bytes, links)
      const named = below.map((at) => this.stored.get(at)?.cid.key)
      if (links.join() !== named.join()) wrong.push(row)
      for (const at of below) reached.add(at)
    }
    return [...wrong, ...[...this.stored.keys()].filter((row) => !reached.has(row))]
  }

  #find(cid: Cid): number | undefined {
    this.lookedFor++
    for (const [row, stored] of this.stored) if (stored.cid.equals(cid)) return row
    return undefined
  }
}

/** The subtrees outside of a cluster that its nodes link to, in order. */
const linksOut = (blocks: ReadonlyArray<Uint8Array>): Array<string> => {
  const inside = new Set(blocks.map((bytes) => cidForCbor(bytes).key))
  return blocks
    .flatMap((bytes) => (countChildren(bytes) === 0 ? [] : decodeNode(bytes, 99).links))
    .flatMap((link) => (link === undefined || inside.has(link.key) ? [] : [link.key]))
}

/** The tree of a map. */
export const treeOf = (records: ReadonlyMap<string, Cid>): Tree =>
  Tree.build([...records].toSorted(([a], [b]) => (a < b ? -1 : 1)))

/** The operations between two states of a repo, one a path. */
export const opsBetween = (
  before: ReadonlyMap<string, Cid>,
  after: ReadonlyMap<string, Cid>,
  paths: Iterable<string>
): Array<RepoOp> => {
  const ops: Array<RepoOp> = []
  for (const path of new Set(paths)) {
    const prev = before.get(path)
    const cid = after.get(path)
    if (prev === undefined && cid !== undefined) ops.push({ action: "create", path, cid })
    else if (prev !== undefined && cid === undefined) {
      ops.push({ action: "delete", path, cid: null, prev })
    } else if (prev !== undefined && cid !== undefined && !prev.equals(cid)) {
      ops.push({ action: "update", path, cid, prev })
    }
  }
  return ops
}

/** At most `most` changes to a repo: more creates than deletes while it is small. */
export const someChanges = (
  chance: Chance,
  records: ReadonlyMap<string, Cid>,
  newKey: () => string,
  most: number
): Array<{ readonly key: string; readonly cid: Cid | undefined }> => {
  const state = new Map(records)
  const changes: Array<{ key: string; cid: Cid | undefined }> = []
  for (let left = 1 + chance.below(most); left > 0; left--) {
    const key = state.size > 0 && chance.next() < 0.55 ? chance.pick([...state.keys()]) : newKey()
    const cid = state.has(key) && chance.next() < 0.7 ? undefined : recordCid(chance.below(1000))
    if (cid === undefined) state.delete(key)
    else state.set(key, cid)
    changes.push({ key, cid })
  }
  return changes
}

const texts = [
  "",
  "a",
  "ab",
  "text",
  "createdAt",
  "ä",
  "\ufeffmark",
  "€uro",
  "\ue000",
  "😀",
  "x".repeat(23),
  "y".repeat(24)
]
const numbers = [0, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, Number.MAX_SAFE_INTEGER]

const someText = (chance: Chance): string => {
  let text = ""
  for (let parts = chance.below(4); parts > 0; parts--) text += chance.pick(texts)
  return chance.next() < 0.05 ? text.repeat(100) : text
}

/** A random value of the data model, nested a few levels at most. */
export const someData = (chance: Chance, depth = 0): Data => {
  switch (chance.below(depth > 3 ? 6 : 9)) {
    case 0:
      return chance.pick([null, true, false])
    case 1:
      return chance.pick(numbers)
    case 2:
      return -1 - chance.pick(numbers.slice(0, -1))
    case 3:
      return someText(chance)
    case 4:
      return Uint8Array.from({ length: chance.pick([0, 3, 30, 300]) }, () => chance.below(256))
    case 5:
      return recordCid(chance.below(50))
    case 6:
      return Array.from({ length: chance.below(5) }, () => someData(chance, depth + 1))
    default: {
      const map: { [key: string]: Data } = {}
      const many = chance.next() < 0.05 ? 40 : 6
      for (let left = chance.below(many); left > 0; left--) {
        map[someText(chance)] = someData(chance, depth + 1)
      }
      return map
    }
  }
}

/** Bytes with a few of them changed, removed or added. */
export const damaged = (chance: Chance, bytes: Uint8Array): Uint8Array => {
  const list = [...bytes]
  for (let left = 1 + chance.below(2); left > 0; left--) {
    const at = chance.below(list.length)
    const byte = chance.pick([0, 0x1f, 0x20, 0x5f, 0xf6, 0xf7, 0xff, chance.below(256)])
    list.splice(at, chance.below(2), ...(chance.next() < 0.7 ? [byte] : []))
  }
  return Uint8Array.from(list)
}
