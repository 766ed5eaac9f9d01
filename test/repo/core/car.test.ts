import { Secp256k1Keypair } from "@atproto/crypto"
import * as Reference from "@atproto/repo"
import { assert, describe, it } from "@effect/vitest"
import {
  type Block,
  carBytes,
  CarChunks,
  carHeader,
  InvalidCar,
  readCar
} from "../../../src/core/repo/car.ts"
import { Cid, cidForCbor, cidForRaw } from "../../../src/core/repo/cid.ts"
import { signedCommit, unsignedCommitBytes } from "../../../src/core/repo/commit.ts"
import { preOrder } from "../../../src/core/repo/mst/preOrder.ts"
import { recordProof } from "../../../src/core/repo/mst/proof.ts"
import { Tree } from "../../../src/core/repo/mst/Tree.ts"
import * as Support from "./support.ts"

const did = "did:plc:abcdefghijklmnopqrstuvwx"

async function* pieces(bytes: Uint8Array, length: number) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.slice(at, at + length)
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield carHeader()
  throw new Error("gone")
}

const readAll = async (bytes: Uint8Array, length = 1000) => {
  const reader = readCar(pieces(bytes, length))
  const roots = await reader.roots()
  const blocks: Array<Block> = []
  for await (const block of reader) blocks.push(block)
  return { roots, blocks }
}

const refusal = async (bytes: Uint8Array): Promise<unknown> => {
  try {
    await readAll(bytes)
  } catch (error) {
    return error
  }
  return undefined
}

const joined = (...parts: ReadonlyArray<Uint8Array>) =>
  Uint8Array.from(parts.flatMap((part) => [...part]))
/** A block as it appears in a CAR. */
const carBlock = (cid: Cid, bytes: Uint8Array): Uint8Array =>
  carBytes(undefined, [{ cid, bytes }]).subarray(carHeader().length)

const records = (count: number): Array<Block> =>
  Array.from({ length: count }, (_, n) => ({
    cid: Support.recordCid(n),
    bytes: Support.recordBytes(n)
  }))

/** The export of a repo with many records, from a store of clusters like getRepo's. */
const exported = async (count: number, chunkSize: number) => {
  const chance = new Support.Chance(count)
  const byKey = new Map(
    Array.from({ length: count }, (_, n) => [Support.postKey(chance), n] as const)
  )
  const tree = Support.treeOf(new Map(Array.from(byKey, ([key, n]) => [key, Support.recordCid(n)])))
  const store = Support.ClusterRows.of(tree)
  const key = await Secp256k1Keypair.create()
  const unsigned = { did, data: tree.root(), rev: "3kabcdefghijk" }
  const commit = signedCommit({ ...unsigned, sig: await key.sign(unsignedCommitBytes(unsigned)) })
  const out: Array<Uint8Array> = []
  const chunks = new CarChunks(commit.cid, chunkSize)
  const push = (cid: Cid, bytes: Uint8Array) => {
    const full = chunks.push(cid, bytes)
    if (full !== undefined) out.push(full)
  }
  push(commit.cid, commit.bytes)
  for (const step of preOrder(Tree.load(store, tree.root()))) {
    push(step.cid, step.kind === "node" ? step.bytes : Support.recordBytes(byKey.get(step.key)!))
  }
  const rest = chunks.flush()
  if (rest !== undefined) out.push(rest)
  return { key, commit, tree, byKey, chunks: out, car: joined(...out) }
}

describe("CAR files", () => {
  it("the reader returns what the writer wrote, in pieces of any size", async () => {
    const blocks = records(20)
    const car = carBytes(blocks[0]!.cid, blocks)
    for (const length of [1, 7, 64, 100_000]) {
      const read = await readAll(car, length)
      assert.deepStrictEqual(read.roots.map(String), [blocks[0]!.cid.toString()])
      assert.deepStrictEqual(read.blocks, blocks)
    }
  })

  it("a CAR has the same bytes in one buffer, block by block and in chunks of any size", () => {
    const blocks = records(30)
    const root = blocks[0]!.cid
    const whole = carBytes(root, blocks)
    assert.deepStrictEqual(
      joined(carHeader(root), ...blocks.map(({ cid, bytes }) => carBlock(cid, bytes))),
      whole
    )
    for (const size of [1, 100, 1000, 0x1_0000]) {
      const chunks = new CarChunks(root, size)
      const out = blocks.flatMap(({ cid, bytes }) => chunks.push(cid, bytes) ?? [])
      const rest = chunks.flush()
      if (rest !== undefined) out.push(rest)
      assert.deepStrictEqual(joined(...out), whole)
      for (const chunk of out) assert.isAbove(chunk.length, 0)
      assert.strictEqual(chunks.flush(), undefined)
    }
  })

  it("a CAR may have no root and may hold a block twice", async () => {
    const [block] = records(1)
    const { roots, blocks } = await readAll(carBytes(undefined, [block!, block!]))
    assert.deepStrictEqual(roots, [])
    assert.deepStrictEqual(blocks, [block!, block!])
  })

  it("@atproto/repo reads our CARs, and we read theirs", async () => {
    const blocks = records(5)
    const theirs = await Reference.readCarWithRoot(carBytes(blocks[0]!.cid, blocks))
    assert.strictEqual(theirs.root.toString(), blocks[0]!.cid.toString())
    const again = await readAll(await Reference.blocksToCarFile(theirs.root, theirs.blocks))
    assert.deepStrictEqual(again.blocks, blocks)
  })

  it("the reader rejects a block with one wrong bit", async () => {
    const blocks = records(3)
    const car = carBytes(blocks[0]!.cid, blocks)
    for (const fromEnd of [1, 30, blocks[2]!.bytes.length + 5]) {
      const wrong = car.slice()
      wrong[wrong.length - fromEnd]! ^= 1
      assert.instanceOf(await refusal(wrong), InvalidCar)
    }
  })

  it("the reader rejects a file that ends anywhere except between two blocks", async () => {
    const blocks = records(2)
    const car = carBytes(blocks[0]!.cid, blocks)
    const header = carHeader(blocks[0]!.cid).length
    const whole = [header, header + carBlock(blocks[0]!.cid, blocks[0]!.bytes).length, car.length]
    for (let length = 0; length <= car.length; length++) {
      const error = await refusal(car.slice(0, length))
      if (whole.includes(length)) assert.strictEqual(error, undefined)
      else assert.instanceOf(error, InvalidCar, `${length} bytes`)
    }
  })

  it("the reader rejects impossible sizes before it buffers them", async () => {
    let taken = 0
    async function* endless() {
      yield joined(
        carHeader(),
        new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f]),
        Support.recordCid(1).bytes
      )
      for (; taken < 1000; taken++) yield new Uint8Array(0x1_0000)
    }
    const reader = readCar(endless())[Symbol.asyncIterator]()
    let error: unknown
    try {
      await reader.next()
    } catch (cause) {
      error = cause
    }
    assert.instanceOf(error, InvalidCar)
    assert.isBelow(taken, 2)
  })

  it("the reader rejects another version, codec or hash", async () => {
    const version2 = Uint8Array.from(Buffer.from("0aa16776657273696f6e02", "hex"))
    assert.instanceOf(await refusal(joined(version2, new Uint8Array(100))), InvalidCar)
    const [block] = records(1)
    for (const at of [1, 2]) {
      const wrong = block!.cid.bytes.slice()
      wrong[at]! ^= 1
      assert.instanceOf(
        await refusal(joined(carHeader(), carBlock(new Cid(wrong), block!.bytes))),
        InvalidCar
      )
    }
    const blob = { cid: cidForRaw(new Uint8Array([1])), bytes: new Uint8Array([1]) }
    assert.deepStrictEqual((await readAll(carBytes(undefined, [blob]))).blocks, [blob])
  })

  it("the reader rejects bytes that are not a CAR", async () => {
    for (const bytes of [[], [0], [1, 0xf6], [0xff, 0xff, 0xff, 0xff, 0xff, 0x01]]) {
      assert.instanceOf(await refusal(Uint8Array.from(bytes)), InvalidCar)
    }
  })

  it("the reader rejects when its source throws, and leaves no unhandled rejection", async () => {
    const reader = readCar(broken())
    await new Promise((resolve) => setTimeout(resolve, 5))
    let error: unknown
    try {
      for await (const _ of reader) continue
    } catch (cause) {
      error = cause
    }
    assert.instanceOf(error, InvalidCar)
  })
})

describe("an exported repo", () => {
  it("@atproto/repo accepts an export with all its records", async () => {
    const { car, key, byKey } = await exported(1000, 4096)
    const repo = await Reference.verifyRepoCar(car, did, key.did())
    assert.deepStrictEqual(
      repo.creates.map(({ collection, rkey, cid }) => `${collection}/${rkey} ${cid}`).toSorted(),
      Array.from(byKey, ([path, n]) => `${path} ${Support.recordCid(n)}`).toSorted()
    )
  })

  it("an export names every block before it sends it", async () => {
    const { car, tree } = await exported(500, 0x1_0000)
    const { roots, blocks } = await readAll(car)
    const named = new Set(roots.map((cid) => cid.key))
    for (const { cid, bytes } of blocks) {
      assert.isTrue(named.has(cid.key))
      // Every CID in the block, at any offset.
      for (let at = 0; at + 36 <= bytes.length; at++) {
        const candidate = bytes.subarray(at, at + 36)
        if (candidate[0] === 1 && candidate[2] === 0x12) named.add(new Cid(candidate.slice()).key)
      }
    }
    const keys = [...preOrder(tree)].flatMap((step) => (step.kind === "record" ? [step.key] : []))
    assert.deepStrictEqual(keys, keys.toSorted())
  })

  it("an export arrives in chunks of nearly the requested size", async () => {
    const { chunks } = await exported(1000, 4096)
    for (const chunk of chunks.slice(0, -1)) {
      assert.isAtMost(chunk.length, 4096)
      assert.isAbove(chunk.length, 2048)
    }
  })

  it("a proof shows @atproto/repo that a record exists, and that another doesn't", async () => {
    const { key, commit, tree, byKey } = await exported(300, 4096)
    const [path, n] = [...byKey][123]!
    const claims = [path, "app.bsky.feed.post/none"].map((claim) => {
      const [collection, rkey] = claim.split("/") as [string, string]
      const cid =
        claim === path
          ? Reference.cidForRecord({ $type: "com.example.record", text: `record ${n}`, n })
          : null
      return { collection, rkey, cid }
    })
    for (const { collection, rkey, cid } of claims) {
      const blocks = [commit, ...recordProof(tree, `${collection}/${rkey}`)]
      if (cid !== null) blocks.push({ cid: Support.recordCid(n), bytes: Support.recordBytes(n) })
      const result = await Reference.verifyProofs(
        carBytes(commit.cid, blocks),
        [{ collection, rkey, cid: await cid }],
        did,
        key.did()
      )
      assert.strictEqual(result.verified.length, 1)
      assert.strictEqual(result.unverified.length, 0)
    }
  })

  it("the root of an export is the CID of its commit", async () => {
    const { commit } = await exported(1, 4096)
    assert.isTrue(commit.cid.equals(cidForCbor(commit.bytes)))
  })
})
