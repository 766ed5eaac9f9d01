import { CarReader, CarWriter } from "@ipld/car"
import { assert, describe, it } from "@effect/vitest"
import { CID } from "multiformats/cid"
import { type Block, carBytes, InvalidCar, readCar } from "../../../src/core/repo/car.ts"
import { Cid, cidForCbor, cidForRaw } from "../../../src/core/repo/cid.ts"
import * as Support from "./support.ts"

/** Every block length at which the varint grows, and a random one. */
const lengths = (chance: Support.Chance) => [
  0,
  1,
  90,
  91,
  92,
  16_346,
  16_347,
  16_348,
  300_000,
  chance.below(70_000)
]

const blocksOf = (seed: number): ReadonlyArray<Block> => {
  const chance = new Support.Chance(seed)
  return lengths(chance).map((length, n) => {
    const bytes = Uint8Array.from({ length }, () => chance.below(256))
    return { cid: n % 2 === 0 ? cidForRaw(bytes) : cidForCbor(bytes), bytes }
  })
}

/** A CAR as the reference library writes it. */
const written = async (
  root: Cid | undefined,
  blocks: ReadonlyArray<Block>
): Promise<Uint8Array> => {
  const { writer, out } = CarWriter.create(root === undefined ? [] : [CID.decode(root.bytes)])
  const collected = (async () => {
    const parts: Array<Uint8Array> = []
    for await (const part of out) parts.push(part)
    return new Uint8Array(Buffer.concat(parts))
  })()
  for (const { cid, bytes } of blocks) await writer.put({ cid: CID.decode(cid.bytes), bytes })
  await writer.close()
  return collected
}

const shown = (blocks: ReadonlyArray<{ readonly cid: unknown; readonly bytes: Uint8Array }>) =>
  blocks.map(({ cid, bytes }) => [String(cid), Buffer.from(bytes).toString("base64")])

const readOurs = async (bytes: Uint8Array, piece: number) => {
  const reader = readCar(
    (async function* () {
      for (let at = 0; at < bytes.length; at += piece) yield bytes.slice(at, at + piece)
    })()
  )
  const roots = await reader.roots()
  const blocks: Array<Block> = []
  for await (const block of reader) blocks.push(block)
  return { roots: roots.map(String), blocks: shown(blocks) }
}

const readTheirs = async (bytes: Uint8Array) => {
  const reader = await CarReader.fromBytes(bytes)
  const blocks: Array<{ cid: CID; bytes: Uint8Array }> = []
  for await (const block of reader.blocks()) blocks.push(block)
  return { roots: (await reader.getRoots()).map(String), blocks: shown(blocks) }
}

const seeds = [1, 2, 3]

describe("our CARs beside those of @ipld/car", () => {
  for (const seed of seeds) {
    it(`both writers produce the same bytes for the same blocks (seed ${seed})`, async () => {
      const blocks = blocksOf(seed)
      for (const root of [blocks[1]!.cid, undefined]) {
        const ours = carBytes(root, blocks)
        assert.isTrue(Buffer.from(ours).equals(await written(root, blocks)))
      }
    })

    it(`both readers return the same, in pieces of any size (seed ${seed})`, async () => {
      const blocks = blocksOf(seed)
      const bytes = await written(blocks[1]!.cid, blocks)
      const expected = await readTheirs(bytes)
      assert.deepStrictEqual(expected.blocks, shown(blocks))
      for (const piece of [1000, 65_536, bytes.length]) {
        assert.deepStrictEqual(await readOurs(bytes, piece), expected)
      }
    })
  }

  it("both readers reject a file that ends inside a block", async () => {
    const blocks = blocksOf(7)
    const bytes = carBytes(blocks[1]!.cid, blocks)
    const chance = new Support.Chance(7)
    for (let n = 0; n < 40; n++) {
      const torn = bytes.slice(0, bytes.length - 1 - chance.below(60_000))
      const theirs = await readTheirs(torn).then(
        ({ blocks: read }) => read.length,
        () => "refused"
      )
      const ours = await readOurs(torn, 4096).then(
        ({ blocks: read }) => read.length,
        (cause: unknown) => {
          assert.instanceOf(cause, InvalidCar)
          return "refused"
        }
      )
      assert.strictEqual(ours, theirs, `${torn.length} bytes`)
    }
  })
})
