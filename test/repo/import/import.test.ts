import { assert, describe, it } from "@effect/vitest"
import { carHeader } from "../../../src/core/repo/car.ts"
import { CarParser, InvalidCar } from "../../../src/core/repo/carParser.ts"
import { Cid, cidForCbor, sha256 } from "../../../src/core/repo/cid.ts"
import { DigestTable } from "../../../src/core/repo/import/DigestTable.ts"
import { Leaves } from "../../../src/core/repo/import/Leaves.ts"
import { maxNodeBytes, NodePile } from "../../../src/core/repo/import/NodePile.ts"
import { OddRecords } from "../../../src/core/repo/import/oddRecords.ts"
import { Pile } from "../../../src/core/repo/import/Pile.ts"
import { plant } from "../../../src/core/repo/import/plant.ts"
import { RepoTooLarge } from "../../../src/core/repo/import/RepoTooLarge.ts"
import { SlabPile, type SlabStore } from "../../../src/core/repo/import/SlabPile.ts"
import { preOrder } from "../../../src/core/repo/mst/preOrder.ts"
import { Tree } from "../../../src/core/repo/mst/Tree.ts"
import * as Support from "../core/support.ts"

describe("a table of digests", () => {
  it("DigestTable numbers tens of thousands of digests in order of appearance, and finds them again", () => {
    const table = new DigestTable()
    const digests = Array.from({ length: 70_000 }, (_, n) => sha256(`digest ${n}`))
    digests.forEach((digest, n) => assert.strictEqual(table.add(digest), n))
    digests.forEach((digest, n) => assert.strictEqual(table.find(digest), n))
    assert.strictEqual(table.add(digests[123]!), 123)
    assert.strictEqual(table.count, 70_000)
    assert.strictEqual(table.find(sha256("another")), -1)
  })

  it("DigestTable tells digests with the same ending apart", () => {
    const table = new DigestTable()
    const digests = Array.from({ length: 2000 }, (_, n) => {
      const digest = sha256(`digest ${n}`).slice()
      digest.fill(7, 4)
      return digest
    })
    digests.forEach((digest, n) => assert.strictEqual(table.add(digest), n))
    digests.forEach((digest, n) => assert.strictEqual(table.find(digest), n))
  })
})

describe("a pile", () => {
  it("Pile returns every byte string, smaller or larger than its slabs", () => {
    Support.forSeeds(20, (chance) => {
      const pile = new Pile()
      const sizes = Array.from({ length: 40 }, () =>
        chance.pick([0, 1, 36, chance.below(5000), chance.below(600_000), 1_048_576, 1_500_000])
      )
      const put = sizes.map((size, n) => new Uint8Array(size).fill(n + 1))
      for (const bytes of put) pile.push(bytes)
      assert.strictEqual(pile.count, put.length)
      assert.strictEqual(
        pile.bytes,
        sizes.reduce((sum, size) => sum + size, 0)
      )
      put.forEach((bytes, n) => assert.isTrue(Buffer.from(pile.get(n)).equals(bytes)))
    })
  })
})

/** An in-memory store that counts its calls. */
const countingStore = () => {
  const slabs = new Map<number, Uint8Array>()
  let reads = 0
  const store: SlabStore = {
    write: (number, slab) => {
      assert.isFalse(slabs.has(number))
      slabs.set(number, slab.slice())
    },
    read: (number) => {
      reads++
      return slabs.get(number)!.slice()
    }
  }
  return { store, slabs, reads: () => reads }
}

describe("a pile backed by a store", () => {
  it("SlabPile returns every byte string in any order, smaller or larger than its slabs", () => {
    Support.forSeeds(10, (chance) => {
      const { store } = countingStore()
      const pile = new SlabPile(store)
      const put = Array.from({ length: 700 }, (_, n) =>
        new Uint8Array(chance.pick([0, 1, 400, 5000, 32_768, 40_000])).fill(n + 1)
      )
      for (const bytes of put) pile.push(bytes)
      assert.strictEqual(pile.count, put.length)
      for (let n = 0; n < 2000; n++) {
        const number = chance.below(put.length)
        assert.isTrue(Buffer.from(pile.get(number)).equals(put[number]!))
      }
    })
  })

  it("SlabPile writes nothing up to 4 MB, then writes and reads each slab once", () => {
    const { store, slabs, reads } = countingStore()
    const pile = new SlabPile(store)
    for (let n = 0; n < 4000; n++) pile.push(new Uint8Array(1000).fill(n))
    assert.strictEqual(slabs.size, 0)
    for (let n = 4000; n < 20_000; n++) pile.push(new Uint8Array(1000).fill(n))
    assert.isAtMost(slabs.size, 20_000 / 32)
    for (let n = 0; n < 20_000; n++) assert.strictEqual(pile.get(n)[0], n & 0xff)
    assert.isAtMost(reads(), 20_000 / 32 + 1)
  })
})

describe("the leaves of a tree", () => {
  it("Leaves returns all paths of a record once, and lists the missing records", () => {
    Support.forSeeds(30, (chance) => {
      const leaves = new Leaves()
      const paths = new Map<number, Set<string>>()
      const count = 1 + chance.below(3000)
      for (let n = 0; n < count; n++) {
        const record = chance.below(count)
        const path = `com.example.record/${n}`
        leaves.add(path, Support.recordCid(record))
        paths.set(record, (paths.get(record) ?? new Set()).add(path))
      }
      assert.strictEqual(leaves.count, count)
      for (const [record, expected] of paths) {
        const missing = leaves.missing()
        assert.isDefined(missing)
        assert.deepStrictEqual(new Set(leaves.take(Support.recordCid(record))), expected)
        assert.deepStrictEqual([...leaves.take(Support.recordCid(record))], [])
      }
      assert.strictEqual(leaves.waiting, 0)
      assert.isUndefined(leaves.missing())
      assert.deepStrictEqual([...leaves.take(Support.recordCid(count + 1))], [])
    })
  })
})

describe("the index of a tree's records", () => {
  it("Leaves takes less than 40 MB for 400,000 posts", () => {
    const leaves = new Leaves()
    const cid = Support.recordCid(1).bytes.slice()
    const view = new DataView(cid.buffer)
    for (let n = 0; n < 400_000; n++) {
      // A unique digest without the cost of a hash.
      view.setUint32(4, n)
      view.setUint32(32, Math.imul(n, 2_654_435_761))
      leaves.add(`app.bsky.feed.post/3k${String(n).padStart(11, "2")}`, new Cid(cid))
    }
    assert.strictEqual(leaves.waiting, 400_000)
    assert.isBelow(leaves.memory, 40_000_000)
  })

  it("plant stops before the index takes more memory than that", () => {
    const one = Support.recordCid(1)
    // Paths of a thousand characters, which fill the index quickly.
    const path = (n: number) => `com.example.note/${"x".repeat(980)}${String(n).padStart(6, "0")}`
    const tree = Tree.build(Array.from({ length: 40_000 }, (_, n) => [path(n), one] as const))
    const nodes = new NodePile(countingStore().store)
    for (const step of preOrder(tree)) if (step.kind === "node") nodes.offer(step)
    const planted = () => [...plant(nodes, tree.root(), new OddRecords())]
    assert.throws(planted, RepoTooLarge, /more than \d{5} records/)
  })
})

describe("the nodes of a CAR", () => {
  it("NodePile holds a limited number of bytes", () => {
    const nodes = new NodePile(countingStore().store)
    const offer = (n: number) => {
      const bytes = new Uint8Array(1_000_000).fill(n)
      bytes.set([0xa2, 0x61, 0x65, n & 0xff, n >> 8])
      nodes.offer({ cid: cidForCbor(bytes), bytes })
    }
    for (let n = 0; n < maxNodeBytes / 1_000_000; n++) offer(n)
    assert.throws(() => offer(1000), RepoTooLarge)
  })
})

describe("CarParser", () => {
  it("CarParser buffers only the current block, however small the pieces", () => {
    const parser = new CarParser()
    const header = carHeader(Support.recordCid(1))
    for (const byte of header) parser.push(Uint8Array.of(byte))
    assert.deepStrictEqual(parser.roots?.map(String), [Support.recordCid(1).toString()])
    assert.isUndefined(parser.next())
    parser.end()
    parser.push(Uint8Array.of(0x80))
    assert.throws(() => parser.end(), InvalidCar)
    parser.push(Uint8Array.of(0x80, 0x80, 0x80))
    assert.throws(() => parser.next(), InvalidCar)
  })
})
