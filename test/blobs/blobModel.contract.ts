import { assert, describe } from "@effect/vitest"
import type { BlobIndex } from "../../src/services/blobs/BlobIndex.ts"
import {
  cidOf,
  rev,
  sizeOf,
  sorted,
  upload,
  checker,
  type Hand,
  type WithStorage
} from "./blobIndex.fixture.ts"

type Index = BlobIndex["Service"]

/** Small numbers from a seed (a linear congruential generator). */
const dice = (seed: number) => {
  let state = seed
  return (sides: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % sides
  }
}

/** Compares random steps with sets of references and stored blobs. */
const runModel = (index: Index, hand: Hand, seed: number) => {
  const roll = dice(seed)
  const records = new Map<string, Set<number>>()
  const here = new Map<number, string>()
  const referred = () => new Set([...records.values()].flatMap((blobs) => [...blobs]))
  for (let step = 0; step < 400; step++) {
    hand.now += 61_000
    const path = `app.test/${roll(6)}`
    const n = roll(8)
    const action = roll(10)
    if (action < 3) {
      const key = `${seed} ${step}`
      upload(index, n, { key, now: hand.now })
      if (!here.has(n)) here.set(n, key)
    } else if (action < 7) {
      const blobs = new Set([n, roll(8)])
      index.setRefs(path, [...blobs].map(cidOf), rev(step), hand.now)
      records.set(path, blobs)
    } else if (action < 9) {
      index.dropRefs(path, hand.now)
      records.delete(path)
    } else {
      const keys = index.sweep(hand.now, 0, 100)
      index.swept(keys)
      const kept = referred()
      for (const [blob] of here) if (!kept.has(blob)) here.delete(blob)
    }
    const wanted = [...referred()]
    const served = wanted.filter((blob) => here.has(blob))
    const label = `seed ${seed}, step ${step}`
    assert.deepStrictEqual(index.list({ limit: 100 }).items, sorted(...served), label)
    const missing = index.missing({ limit: 100 }).items
    const absent = wanted.filter((blob) => !here.has(blob))
    assert.deepStrictEqual(
      missing.map(({ cid }) => cid),
      sorted(...absent),
      label
    )
    for (const { cid, path } of missing) {
      const blobs = [...(records.get(path) ?? [])].map(cidOf)
      assert.include(blobs, cid, label)
    }
    for (const blob of served)
      assert.strictEqual(index.locate(cidOf(blob))?.key, here.get(blob), label)
    const bytes = [...here.keys()].reduce((sum, blob) => sum + sizeOf(blob), 0)
    assert.strictEqual(index.usage(), bytes, label)
  }
}

/** Every BlobIndex agrees with in-memory sets. */
export const blobModelContract = (name: string, withStorage: WithStorage) => {
  const check = checker(withStorage)

  describe(`BlobIndex over ${name}, at random`, () => {
    check(
      "the index agrees with a model after hundreds of random uploads, writes, deletes and sweeps",
      (index, _bill, hand, sql) => {
        for (let seed = 1; seed <= 5; seed++) {
          sql.exec("DELETE FROM blob")
          sql.exec("DELETE FROM blob_usage")
          sql.exec("DELETE FROM blob_ref")
          runModel(index, hand, seed)
        }
      }
    )
  })
}
