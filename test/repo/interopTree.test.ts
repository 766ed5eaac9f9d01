import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { commonPrefix, keyLayer } from "../../src/core/repo/mst/key.ts"
import { vectorsOf } from "../support/vectors.ts"

const folder = await vectorsOf("mst")

const read = <A>(name: string): A => JSON.parse(readFileSync(join(folder, name), "utf8")) as A

describe("tree vectors", () => {
  it("keyLayer returns each vector's height", () => {
    const heights = read<Array<{ key: string; height: number }>>("key_heights.json")
    assert.isAbove(heights.length, 0)
    for (const { key, height } of heights) assert.strictEqual(keyLayer(key), height, key)
  })

  it("commonPrefix returns each vector's length", () => {
    const pairs = read<Array<{ left: string; right: string; len: number }>>("common_prefix.json")
    assert.isAbove(pairs.length, 0)
    for (const { left, right, len } of pairs) {
      assert.strictEqual(commonPrefix(left, right), len, `${left} ${right}`)
    }
  })

  it("the example keys have the layers that their names state", () => {
    const keys = readFileSync(join(folder, "example_keys.txt"), "utf8").trim().split("\n")
    assert.isAbove(keys.length, 100)
    // A1/123456: a letter for the order, a digit for the layer.
    for (const key of keys) assert.strictEqual(keyLayer(key), Number(key[1]), key)
  })
})
