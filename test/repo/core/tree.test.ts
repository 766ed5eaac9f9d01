import { assert, describe, it } from "@effect/vitest"
import { maxNodeEntries } from "../../../src/core/repo/limits.ts"
import {
  decodeCluster,
  decodeRows,
  encodeCluster,
  encodeRows
} from "../../../src/core/repo/mst/clusterCodec.ts"
import { allClusters } from "../../../src/core/repo/mst/clusters.ts"
import { CrowdedNode, MissingKey } from "../../../src/core/repo/mst/edit.ts"
import { InvalidInversion, invert } from "../../../src/core/repo/mst/invert.ts"
import { InvalidMstKey, keyLayer } from "../../../src/core/repo/mst/key.ts"
import { MissingBlock, type NodeReader } from "../../../src/core/repo/mst/loader.ts"
import { decodeNode, InvalidNode } from "../../../src/core/repo/mst/node.ts"
import { preOrder, rootBlock } from "../../../src/core/repo/mst/preOrder.ts"
import { coveringProof } from "../../../src/core/repo/mst/proof.ts"
import { Tree } from "../../../src/core/repo/mst/Tree.ts"
import * as Support from "./support.ts"

const big = Support.manyRecords(5000)

const stored = (tree: Tree) => {
  const clusters = Support.ClusterRows.of(tree)
  const blocks = new Support.BlockRows()
  for (const step of preOrder(tree)) {
    if (step.kind === "node") blocks.rows.set(step.cid.key, step.bytes)
  }
  return { clusters, blocks }
}

describe("a tree", () => {
  it("a tree without keys has the root that the protocol specifies", () => {
    const empty = "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm"
    assert.strictEqual(Tree.empty().root().toString(), empty)
    assert.strictEqual(Tree.build([]).root().toString(), empty)
    const key = Support.fewKeys[0]!
    assert.strictEqual(
      Tree.empty().put(key, Support.recordCid(1)).delete(key).root().toString(),
      empty
    )
  })

  it("a tree doesn't change when another is derived from it", () => {
    const tree = Support.treeOf(big)
    const root = tree.root().key
    const [key] = [...big.keys()]
    tree.delete(key!)
    tree.put(key!, Support.recordCid(999))
    assert.strictEqual(tree.root().key, root)
    assert.isTrue(tree.get(key!)!.equals(big.get(key!)!))
  })

  it("put returns the same tree when the key already has that value", () => {
    const tree = Support.treeOf(big)
    const [key, cid] = [...big][77]!
    assert.strictEqual(tree.put(key, cid), tree)
  })

  it("a tree rejects keys that are not collection/rkey in its character set", () => {
    for (const key of [
      "",
      "a",
      "a/",
      "/a",
      "a/b/c",
      "a b/c",
      "a/ä",
      "a/b\n",
      `a/${"b".repeat(1023)}`
    ]) {
      assert.throws(() => Tree.empty().put(key, Support.recordCid(1)), InvalidMstKey)
      assert.throws(() => Tree.build([[key, Support.recordCid(1)]]), InvalidMstKey)
    }
    assert.doesNotThrow(() =>
      Tree.empty()
        .put(`a/${"b".repeat(1022)}`, Support.recordCid(1))
        .root()
    )
  })

  it("a tree rejects deletes of missing keys and builds out of order", () => {
    assert.throws(() => Support.treeOf(big).delete("com.example.none/here"), MissingKey)
    assert.throws(() => Tree.empty().delete("com.example.none/here"), MissingKey)
    const [a, b] = ["a.b/1", "a.b/2"].map((key) => [key, Support.recordCid(1)] as const)
    assert.throws(() => Tree.build([b!, a!]), InvalidNode)
    assert.throws(() => Tree.build([a!, a!]), InvalidNode)
  })

  it("a tree rejects keys mined to crowd one node", () => {
    const keys = Support.onLayer(0, maxNodeEntries + 1)
    let tree = Tree.empty()
    for (const key of keys.slice(0, -1)) tree = tree.put(key, Support.recordCid(1))
    assert.throws(() => tree.put(keys.at(-1)!, Support.recordCid(1)), CrowdedNode)
    assert.doesNotThrow(() => tree.put(Support.onLayer(1, 1)[0]!, Support.recordCid(1)).root())
  })

  it("a tree names the block that is missing", () => {
    const tree = Support.treeOf(big)
    const { blocks } = stored(tree)
    const [key] = [...big.keys()]
    const path = coveringProof(tree, [key!])
    blocks.rows.delete(path[1]!.cid.key)
    const loaded = Tree.load(blocks, tree.root())
    assert.throws(() => loaded.get(key!), MissingBlock, path[1]!.cid.toString())
    assert.throws(() => Tree.load(blocks, Support.recordCid(1)), MissingBlock)
  })

  it("a lookup reads only the nodes on its path, and counts them", () => {
    const tree = Support.treeOf(big)
    const { clusters } = stored(tree)
    let reads = 0
    const reader: NodeReader = { read: (cid, row) => (reads++, clusters.read(cid, row)) }
    const loaded = Tree.load(reader, tree.root())
    assert.strictEqual(loaded.loadedNodes, 0)
    const [key] = [...big.keys()]
    loaded.get(key!)
    assert.isAtMost(reads, 4)
    assert.isAtMost(loaded.loadedNodes, tree.layer + 1)
    assert.isAbove(loaded.loadedNodes, 0)
    assert.strictEqual([...loaded.entries()].length, big.size)
    assert.strictEqual(
      [...preOrder(loaded)].filter(({ kind }) => kind === "record").length,
      big.size
    )
    assert.isAtMost(loaded.loadedNodes, tree.layer + 1)
  })

  it("rootBlock returns the root's block however the tree was loaded", () => {
    const tree = Support.treeOf(big)
    const { blocks, clusters } = stored(tree)
    const [first] = [...preOrder(tree)].flatMap((step) => (step.kind === "node" ? [step] : []))
    for (const loaded of [Tree.load(blocks, tree.root()), Tree.load(clusters, tree.root()), tree]) {
      assert.deepStrictEqual(rootBlock(loaded), { cid: tree.root(), bytes: first!.bytes })
    }
  })
})

describe("clusters", () => {
  it("clusters end at every third layer, and a new post replaces about one for every third layer", () => {
    const tree = Support.treeOf(big)
    const { clusters } = stored(tree)
    const chance = new Support.Chance(5)
    let now = Tree.load(clusters, tree.root())
    const most = Math.floor(tree.layer / 3) + 2
    for (let i = 0; i < 200; i++) {
      clusters.written = 0
      const next = now.put(`app.bsky.feed.post/3zzzz${chance.below(1e8)}`, Support.recordCid(i))
      const rows = clusters.stored.size
      clusters.apply(now, next)
      if (next.layer === now.layer && clusters.stored.size === rows) {
        assert.isAtMost(clusters.written, most)
      }
      assert.deepStrictEqual(clusters.misled(next.root()), [])
      now = next
    }
    assert.strictEqual(clusters.lookedFor, 0)
    for (const row of clusters.rows.values()) {
      const layers = decodeCluster(row).flatMap((bytes) => decodeNode(bytes, 3).keys.map(keyLayer))
      assert.isAtMost(Math.floor(Math.max(...layers) / 3), Math.floor(Math.min(...layers) / 3))
    }
  })

  it("clusters survive adding and deleting a key that raises the root over each layer", () => {
    let tree = Tree.build(Support.onLayer(0, 5).map((key) => [key, Support.recordCid(1)] as const))
    const { clusters } = stored(tree)
    const apply = (next: Tree) => {
      clusters.apply(tree, next)
      tree = Tree.load(clusters, next.root())
      const whole = new Set(Array.from(allClusters(tree), ({ cid }) => cid.key))
      assert.deepStrictEqual(new Set(clusters.rows.keys()), whole)
      assert.deepStrictEqual(clusters.misled(next.root()), [])
    }
    for (const layer of [1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]) {
      const [key] = Support.onLayer(layer, 1)
      apply(tree.put(key!, Support.recordCid(2)))
      apply(tree.delete(key!))
      apply(tree.put(key!, Support.recordCid(3)))
    }
    for (const layer of [6, 5, 4, 3, 2, 1]) apply(tree.delete(Support.onLayer(layer, 1)[0]!))
    assert.strictEqual(tree.layer, 0)
  })

  it("clusters are decoded as they were encoded, and rejected when damaged", () => {
    const blocks = [1, 127, 128, 300, 20_000].map((length) => new Uint8Array(length).fill(length))
    const bytes = encodeCluster(blocks)
    assert.deepStrictEqual(decodeCluster(bytes), blocks)
    assert.throws(() => decodeCluster(bytes.slice(0, -1)), InvalidNode)
    assert.throws(() => decodeCluster(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff])), InvalidNode)
  })

  it("row numbers of any size survive encoding", () => {
    const rows = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 + 5, 2 ** 52]
    assert.deepStrictEqual(decodeRows(encodeRows(rows)), rows)
    assert.deepStrictEqual(decodeRows(encodeRows([])), [])
  })

  it("a tree finds its clusters without row numbers, and with wrong ones", () => {
    const tree = Support.treeOf(big)
    const clusters = Support.ClusterRows.of(tree)
    const numbers = [...clusters.stored.keys()].toSorted((a, b) => a - b)
    // Moves every row except the root's to its neighbour's place.
    const moved = numbers.map((row, at) =>
      clusters.stored.get(at < 2 ? row : numbers.at(-at + 1)!)!
    )
    for (const [at, row] of numbers.entries()) clusters.stored.set(row, moved[at]!)
    const loaded = Tree.load(clusters, tree.root())
    assert.deepStrictEqual([...loaded.entries()], [...tree.entries()])
    assert.isAbove(clusters.lookedFor, 0)
  })

  it("a tree rejects clusters with a node too few or too many", () => {
    const tree = Support.treeOf(big)
    const [root] = [...allClusters(tree)]
    const nodes = decodeCluster(root!.bytes)
    assert.isAbove(nodes.length, 2)
    for (const wrong of [nodes.slice(0, -1), [...nodes, nodes[1]!]]) {
      assert.throws(() => Tree.load({ read: () => ({ blocks: wrong }) }, tree.root()), InvalidNode)
    }
    const { below } = root!
    assert.isAbove(below.length, 0)
    for (const wrong of [below.slice(0, -1), [...below, 1]]) {
      const reader = { read: () => ({ blocks: nodes, below: wrong }) }
      assert.throws(() => Tree.load(reader, tree.root()), InvalidNode)
    }
  })
})

describe("inversion", () => {
  it("invert rejects operations that the tree doesn't show", () => {
    const [present, absent] = Support.fewKeys as [string, string]
    const cid = Support.recordCid(1)
    const tree = Tree.empty().put(present, cid)
    const blocks = coveringProof(tree, [present, absent])
    const refused = (op: Parameters<typeof invert>[1][number]) =>
      assert.throws(() => invert(blocks, [op], tree.root()), InvalidInversion)
    refused({ action: "create", path: absent, cid })
    refused({ action: "create", path: present, cid: Support.recordCid(2) })
    refused({ action: "update", path: present, cid })
    refused({ action: "delete", path: present, cid: null, prev: cid })
    refused({ action: "delete", path: absent, cid: null })
    refused({ action: "delete", path: present, cid, prev: cid })
    assert.strictEqual(
      invert(blocks, [{ action: "create", path: present, cid }], tree.root()).key,
      Tree.empty().root().key
    )
  })
})
