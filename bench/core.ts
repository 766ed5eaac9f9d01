// Only the pure core, without storage or HTTP: node bench/core.ts
import { CarChunks, carBytes } from "../src/core/repo/car.ts"
import { encode } from "../src/core/repo/cbor.ts"
import { decode } from "../src/core/repo/cborDecode.ts"
import { Cid, cidForCbor } from "../src/core/repo/cid.ts"
import { signedCommit, unsignedCommitBytes } from "../src/core/repo/commit.ts"
import { commitFrame } from "../src/core/repo/frame.ts"
import { fromJson, toJson } from "../src/core/repo/json.ts"
import { decodeCluster } from "../src/core/repo/mst/clusterCodec.ts"
import {
  allClusters,
  type Cluster,
  clusterDiff,
  type RowNumbers
} from "../src/core/repo/mst/clusters.ts"
import { changeOf } from "../src/core/repo/mst/diff.ts"
import type { NodeReader } from "../src/core/repo/mst/loader.ts"
import { preOrder } from "../src/core/repo/mst/preOrder.ts"
import { blocksOf, coveringProof } from "../src/core/repo/mst/proof.ts"
import { Tree } from "../src/core/repo/mst/Tree.ts"
import { tidFromMicros } from "../src/core/repo/tid.ts"

const size = 20_000
const start = 1_700_000_000_000_000
const did = "did:plc:abcdefghijklmnopqrstuvwx"
const time = "2026-11-20T12:00:00.000Z"
const post = (n: number) => ({
  $type: "app.bsky.feed.post",
  text: `Post number ${n}, of ordinary length — with some text in it, and a bit more of it.`,
  langs: ["en"],
  createdAt: time,
  reply: {
    root: {
      uri: `at://${did}/app.bsky.feed.post/3kabcdefghijk`,
      cid: "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
    },
    parent: {
      uri: `at://${did}/app.bsky.feed.post/3kabcdefghijk`,
      cid: "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
    }
  }
})
const key = (n: number, later = 0) =>
  `app.bsky.feed.post/${tidFromMicros(start + n * 1_000_003 + later, n % 1024)}`

const measure = (
  name: string,
  runs: number,
  work: (turn: number) => unknown,
  unit = 1,
  unitName = "µs"
): number => {
  for (let i = 0; i < runs / 4; i++) work(i)
  const before = process.hrtime.bigint()
  for (let i = 0; i < runs; i++) work(i + runs)
  const micros = Number(process.hrtime.bigint() - before) / 1000 / runs
  console.log(name.padEnd(58), (micros / unit).toFixed(unit === 1 ? 2 : 3).padStart(10), unitName)
  return micros
}

const bytes = encode(fromJson(post(1)))
const cid = cidForCbor(bytes)
measure(`encode a post (${bytes.length} B)`, 50_000, () => encode(post(1)))
measure("decode a post", 50_000, () => decode(bytes))
measure("decode a post to JSON", 50_000, () => toJson(decode(bytes)))
measure("CID of a post", 50_000, () => cidForCbor(bytes))
measure("text of a CID", 50_000, () => new Cid(cid.bytes).toString())

const entries = Array.from({ length: size }, (_, n) => [key(n), cidForCbor(encode({ n }))] as const)
measure(`build a tree of ${size}`, 3, () => Tree.build(entries).root())
const rows = new Map<string, Cluster>()
const whole = Tree.build(entries)
for (const cluster of allClusters(whole)) rows.set(cluster.cid.key, cluster)
let clusterBytes = 0
for (const { bytes } of rows.values()) clusterBytes += bytes.length
console.log(
  `${rows.size} clusters, ${(clusterBytes / rows.size / 1024).toFixed(1)} KB on average, root on layer ${whole.layer}`
)
const readerOf = (clusters: ReadonlyMap<string, Cluster>): NodeReader => ({
  read: (cid) => {
    const cluster = clusters.get(cid.key)
    return cluster && { blocks: decodeCluster(cluster.bytes), below: cluster.below }
  }
})
const reader = readerOf(rows)
let lastRow = rows.size
const numbers: RowNumbers = { next: () => ++lastRow, find: ({ key }) => rows.get(key)?.row }
const largest = [...rows.values()]
  .map(({ bytes }) => bytes)
  .reduce((a, b) => (b.length > a.length ? b : a))
measure(`split the largest cluster (${largest.length} B)`, 10_000, () => decodeCluster(largest))

const commit = (before: Tree, path: string) => {
  const after = before.put(path, cid)
  const root = after.root()
  const change = changeOf(before, after)
  const { written } = clusterDiff(change, numbers)
  const proof = coveringProof(after, [path])
  return { change, after, root, created: blocksOf(change.created), written, proof }
}
const apply = ({ removed, written }: ReturnType<typeof clusterDiff>) => {
  for (const { cid } of removed) rows.delete(cid.key)
  for (const cluster of written) rows.set(cluster.cid.key, cluster)
}
{
  const random = (i: number) => key((i * 7919) % size, 1 + (i % 1000))
  const root = whole.root()
  measure("cold: load, put, root, change, clusterDiff, proof", 2000, (i) => {
    commit(Tree.load(reader, root), random(i))
  })
  const tree = Tree.load(reader, root)
  measure("warm, anywhere: put, root, change, clusterDiff, proof", 8000, (i) => {
    commit(tree, random(i))
  })
  measure("warm, anywhere: put, root", 8000, (i) => tree.put(random(i), cid).root())
  let next = tree
  let n = size
  measure("warm, newest: put, root, change, clusterDiff, proof", 8000, () => {
    const before = next
    const { change, after } = commit(before, key(n++))
    next = after
    apply(clusterDiff(change, numbers))
  })
}
{
  const before = whole
  for (const cluster of allClusters(whole)) rows.set(cluster.cid.key, cluster)
  const path = key(size + 1)
  const { after, root, created, proof } = commit(before, path)
  const sig = new Uint8Array(64)
  const rev = "3kabcdefghijk"
  const blocks = [
    ...new Map([...created, ...proof, { cid, bytes }].map((b) => [b.cid.key, b])).values()
  ]
  measure("commit: bytes to sign, block, CAR, frame", 20_000, () => {
    unsignedCommitBytes({ did, data: root, rev })
    const signed = signedCommit({ did, data: root, rev, sig })
    commitFrame({
      repo: did,
      commit: signed.cid,
      rev,
      since: rev,
      prevData: root,
      blocks: carBytes(signed.cid, [signed, ...blocks]),
      ops: [{ action: "create", path, cid }],
      time
    })
  })
  console.log(`blocks in the frame: ${blocks.length + 1}`)
  after.root()
}
{
  let total = 0
  const tree = Tree.build(entries)
  const stored = new Map([...allClusters(tree)].map((cluster) => [cluster.cid.key, cluster]))
  const storedReader = readerOf(stored)
  const root = tree.root()
  const micros = measure("export: load, preOrder, CarChunks", 10, () => {
    total = 0
    const chunks = new CarChunks(root)
    for (const step of preOrder(Tree.load(storedReader, root))) {
      const full = chunks.push(step.cid, step.kind === "node" ? step.bytes : bytes)
      if (full !== undefined) total += full.length
    }
    total += chunks.flush()?.length ?? 0
  })
  console.log(`export: ${(total / micros).toFixed(0)} MB/s over ${(total / 1e6).toFixed(1)} MB`)
}
