import { type Cid, dagCbor } from "../cid.ts"
import { buildClusters, type MstEntry } from "../mst/build.ts"
import { decodeCluster } from "../mst/clusterCodec.ts"
import type { Cluster } from "../mst/clusters.ts"
import { InvalidNode } from "../mst/node.ts"
import { Tree } from "../mst/Tree.ts"
import { Leaves } from "./Leaves.ts"
import type { NodePile } from "./NodePile.ts"
import { type OddRecords, pathOddity } from "./oddRecords.ts"
import { RepoTooLarge } from "./RepoTooLarge.ts"

/**
 * Memory limit of the record index: enough for some 400,000 posts, whose whole import stays below
 * 64 MB.
 */
const maxLeafMemory = 40_000_000

/** The content of a planted tree. */
export interface Planted {
  readonly leaves: Leaves
  /** Number of tree nodes. */
  readonly nodes: number
}

/**
 * Walks the whole tree of a CAR and rebuilds it from its entries, cluster by cluster.
 *
 * An equal root proves the tree's form: all nodes are present, each with exactly its keys. This
 * replaces the tree's own checks (`verify`), which cost a hash a key. Throws InvalidNode,
 * InvalidMstKey, MissingBlock, RepoTooLarge.
 */
export function* plant(nodes: NodePile, root: Cid, odd: OddRecords): Generator<Cluster, Planted> {
  const leaves = new Leaves()
  const noted = function* (entries: Iterable<MstEntry>): Generator<MstEntry> {
    for (const entry of entries) {
      const [path, cid] = entry
      const oddity = pathOddity(path)
      if (oddity !== undefined) odd.add(path, oddity)
      if (cid.codec !== dagCbor) throw new InvalidNode(`a record that is no DAG-CBOR: ${path}`)
      leaves.add(path, cid)
      if (leaves.memory > maxLeafMemory) {
        throw new RepoTooLarge(
          `it has more than ${leaves.count - 1} records, and so many are too many to import`
        )
      }
      yield entry
    }
  }
  const tree = Tree.load(nodes.reader, root)
  const clusters = buildClusters(noted(tree.entries()))
  let count = 0
  while (true) {
    const next = clusters.next()
    if (next.done === true) {
      if (!next.value.equals(root)) throw new InvalidNode("not the one tree of its records")
      return { leaves, nodes: count }
    }
    count += decodeCluster(next.value.bytes).length
    yield next.value
  }
}
