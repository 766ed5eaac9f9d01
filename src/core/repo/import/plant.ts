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

/** Memory that the records' index may take: that of some 400,000 posts, whose whole import then stays below 64 MB. */
const maxLeafMemory = 40_000_000

/** What a tree from outside turned out to hold. */
export interface Planted {
  readonly leaves: Leaves
  /** How many nodes the tree has. */
  readonly nodes: number
}

/**
 * Walks the whole tree of a CAR, and builds it anew from what it holds, cluster by cluster.
 *
 * That the root comes out the same proves its form: all nodes present, each with just the keys that
 * belong there. So the tree's own checks (`verify`), a hash a key, are not needed. Throws InvalidNode, InvalidMstKey, MissingBlock, RepoTooLarge.
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
