import { assert, describe, it } from "@effect/vitest"
import { carHeader } from "../../../src/core/repo/car.ts"
import { CarParser, InvalidCar } from "../../../src/core/repo/carParser.ts"
import { cidForCbor, sha256 } from "../../../src/core/repo/cid.ts"
import { DigestTable } from "../../../src/core/repo/import/DigestTable.ts"
import { Leaves } from "../../../src/core/repo/import/Leaves.ts"
import { maxNodeBytes, NodePile, RepoTooLarge } from "../../../src/core/repo/import/NodePile.ts"
import { Pile } from "../../../src/core/repo/import/Pile.ts"
import * as Support from "../core/support.ts"

describe("a table of digests", () => {
  it("numbers tens of thousands in the order of their coming, and knows them again", () => {
    const table = new DigestTable()
    const digests = Array.from({ length: 70_000 }, (_, n) => sha256(`digest ${n}`))
    digests.forEach((digest, n) => assert.strictEqual(table.add(digest), n))
    digests.forEach((digest, n) => assert.strictEqual(table.find(digest), n))
    assert.strictEqual(table.add(digests[123]!), 123)
    assert.strictEqual(table.count, 70_000)
    assert.strictEqual(table.find(sha256("another")), -1)
  })

  it("tells digests apart that end alike", () => {
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
  it("gives back what was put on it, small or larger than its slabs", () => {
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

describe("the leaves of a tree", () => {
  it("lead from a record to all of its paths, once, and tell which are missing", () => {
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

describe("the nodes of a CAR", () => {
  it("are held up to a bound of bytes", () => {
    const nodes = new NodePile()
    const offer = (n: number) => {
      const bytes = new Uint8Array(1_000_000).fill(n)
      bytes.set([0xa2, 0x61, 0x65, n & 0xff, n >> 8])
      nodes.offer({ cid: cidForCbor(bytes), bytes })
    }
    for (let n = 0; n < maxNodeBytes / 1_000_000; n++) offer(n)
    assert.throws(() => offer(1000), RepoTooLarge)
  })
})

describe("a parser of CARs", () => {
  it("gathers no more than the block that is coming, in however small pieces it comes", () => {
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
