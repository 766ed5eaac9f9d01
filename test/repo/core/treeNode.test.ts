import { assert, describe, it } from "@effect/vitest"
import { encode } from "../../../src/core/repo/cbor.ts"
import { cidForCbor } from "../../../src/core/repo/cid.ts"
import { keyLayer } from "../../../src/core/repo/mst/key.ts"
import { decodeNode, encodeNode, InvalidNode, Node } from "../../../src/core/repo/mst/node.ts"
import { preOrder } from "../../../src/core/repo/mst/preOrder.ts"
import { Tree } from "../../../src/core/repo/mst/Tree.ts"
import * as Support from "./support.ts"

const big = Support.treeOf(Support.manyRecords(5000))

const again = (bytes: Uint8Array): Uint8Array => {
  const { keys, values, links } = decodeNode(bytes, 3)
  const children = links.map((cid) => (cid === undefined ? undefined : new Node(2, cid, undefined)))
  return encodeNode({ keys, values, children })
}

const entry = (p: number, k: string) => ({
  p,
  k: new TextEncoder().encode(k),
  v: Support.recordCid(1),
  t: null
})

describe("a tree node", () => {
  const tree = big
  const nodes = [...preOrder(tree)].flatMap((step) => (step.kind === "node" ? [step.bytes] : []))
  it("encodeNode writes the same bytes as the generic codec", () => {
    for (const bytes of nodes.slice(0, 50)) {
      const { keys, values, links } = decodeNode(bytes, 3)
      let previous = ""
      const e = keys.map((key, i) => {
        let p = 0
        while (p < previous.length && previous[p] === key[p]) p++
        previous = key
        return {
          p,
          k: new TextEncoder().encode(key.slice(p)),
          v: values[i]!,
          t: links[i + 1] ?? null
        }
      })
      assert.deepStrictEqual([...bytes], [...encode({ l: links[0] ?? null, e })])
    }
  })

  it("decodeNode accepts only the canonical form: damaged bytes fail or encode back to themselves", () => {
    Support.forSeeds(5000, (chance) => {
      const bytes = Support.damaged(chance, chance.pick(nodes))
      let form: Uint8Array
      try {
        form = again(bytes)
      } catch (error) {
        assert.instanceOf(error, InvalidNode)
        return
      }
      assert.deepStrictEqual([...form], [...bytes])
    })
  })

  const key = "com.example.record/1"
  for (const [what, value] of Object.entries({
    "a key repeated": { l: null, e: [entry(0, key), entry(19, "1")] },
    "a key that adds nothing": { l: null, e: [entry(0, key), entry(20, "")] },
    "keys out of order": { l: null, e: [entry(0, key), entry(19, "0")] },
    "a prefix shorter than it could be": { l: null, e: [entry(0, key), entry(18, "/2")] },
    "a prefix longer than the key before": { l: null, e: [entry(0, key), entry(21, "2")] },
    "a prefix on the first key": { l: null, e: [entry(1, key)] },
    "an entry inside a tree that is empty": { l: null, e: [] },
    "a subtree that is a blob": { l: null, e: [{ ...entry(0, key), t: "x" }] },
    "a field too many": { l: null, e: [], x: 1 },
    "a field too few": { l: null }
  })) {
    it(`decodeNode rejects ${what}`, () => {
      assert.throws(() => decodeNode(encode(value), 3), InvalidNode)
    })
  }
})

const reading = (blocks: ReadonlyArray<Uint8Array>) => {
  const rows = new Support.BlockRows()
  for (const bytes of blocks) rows.rows.set(cidForCbor(bytes).key, bytes)
  return rows
}

const nodeBlock = (keys: ReadonlyArray<string>, children: ReadonlyArray<Uint8Array | undefined>) =>
  encodeNode({
    keys,
    values: keys.map(() => Support.recordCid(1)),
    children: children.map((bytes) =>
      bytes === undefined ? undefined : new Node(0, cidForCbor(bytes), undefined)
    )
  })

const walk = (blocks: ReadonlyArray<Uint8Array>) => () => [
  ...preOrder(Tree.load(reading(blocks), cidForCbor(blocks[0]!), { verify: true }))
]

describe("a tree from another server", () => {
  const [low] = Support.onLayer(0, 1)
  const [high] = Support.onLayer(1, 1)

  it("a verifying walk accepts a valid tree", () => {
    const tree = big
    const blocks = [...preOrder(tree)].flatMap((step) => (step.kind === "node" ? [step.bytes] : []))
    assert.strictEqual(walk(blocks)().length, blocks.length + 5000)
  })

  it("a verifying walk rejects a key on the wrong layer", () => {
    const keys = [low!, high!].toSorted()
    assert.throws(walk([nodeBlock(keys, [undefined, undefined, undefined])]), InvalidNode)
  })

  it("a verifying walk rejects a subtree below the lowest layer", () => {
    const child = nodeBlock(["com.example.a/1"], [undefined, undefined])
    assert.throws(walk([nodeBlock([low!], [child, undefined]), child]), InvalidNode)
  })

  it("a verifying walk rejects a subtree in the wrong place", () => {
    const child = nodeBlock([low!], [undefined, undefined])
    const place = low! < high! ? [undefined, child] : [child, undefined]
    assert.throws(walk([nodeBlock([high!], place), child]), InvalidNode, "out of order")
  })

  it("a verifying walk rejects a root that has only a subtree", () => {
    const child = nodeBlock([low!], [undefined, undefined])
    assert.throws(walk([nodeBlock([], [child]), child]), InvalidNode)
  })

  it("a verifying walk rejects an empty inner node", () => {
    const child = nodeBlock([], [undefined])
    assert.throws(walk([nodeBlock([high!], [child, undefined]), child]), InvalidNode)
  })

  it("a verifying walk rejects a key that is not collection/rkey", () => {
    const [strange] = ["a", "b", "c", "d", "e", "f"].filter((name) => keyLayer(name) === 0)
    assert.throws(walk([nodeBlock([strange!], [undefined, undefined])]), InvalidNode)
  })

  it("a verifying walk rejects a block that doesn't match its CID", () => {
    const rows = reading([nodeBlock([low!], [undefined, undefined])])
    const [name] = [...rows.rows.keys()]
    rows.rows.set(name!, nodeBlock([Support.onLayer(0, 2)[1]!], [undefined, undefined]))
    const cid = cidForCbor(nodeBlock([low!], [undefined, undefined]))
    assert.throws(() => [...Tree.load(rows, cid, { verify: true }).entries()], InvalidNode)
  })
})
