import { MemoryBlockstore, MST, cidForRecord } from "@atproto/repo"
import { assert, describe, it } from "@effect/vitest"
import { parseCid, type Cid } from "../../../src/core/repo/cid.ts"
import { allClusters } from "../../../src/core/repo/mst/clusters.ts"
import { buildClusters } from "../../../src/core/repo/mst/build.ts"
import { changeOf } from "../../../src/core/repo/mst/diff.ts"
import { invert } from "../../../src/core/repo/mst/invert.ts"
import { preOrder } from "../../../src/core/repo/mst/preOrder.ts"
import { blocksOf, coveringProof, recordProof } from "../../../src/core/repo/mst/proof.ts"
import { Tree } from "../../../src/core/repo/mst/Tree.ts"
import * as Support from "./support.ts"

const runs = 300

const keySpaces = {
  "few keys on many layers": (chance: Support.Chance) => () => chance.pick(Support.fewKeys),
  "keys as clients make them": (chance: Support.Chance) => () => Support.postKey(chance)
}

interface History {
  readonly before: Tree
  readonly after: Tree
  readonly old: ReadonlyMap<string, Cid>
  readonly fresh: ReadonlyMap<string, Cid>
  readonly paths: ReadonlyArray<string>
}

/** A series of commits with random changes; `step` may return another tree to continue with. */
const history = (
  chance: Support.Chance,
  newKey: () => string,
  step: (history: History) => Tree | undefined
): void => {
  let records = new Map<string, Cid>()
  let tree = Tree.empty()
  for (let commits = 4 + chance.below(20); commits > 0; commits--) {
    const fresh = new Map(records)
    let after = tree
    const changes = Support.someChanges(chance, records, newKey, chance.pick([1, 1, 3, 8, 30]))
    for (const { key, cid } of changes) {
      after = cid === undefined ? after.delete(key) : after.put(key, cid)
      if (cid === undefined) fresh.delete(key)
      else fresh.set(key, cid)
    }
    const paths = changes.map(({ key }) => key)
    tree = step({ before: tree, after, old: records, fresh, paths }) ?? after
    records = fresh
  }
}

for (const [name, keys] of Object.entries(keySpaces)) {
  describe(`any changes, ${name}`, () => {
    it("changes produce the same root as a tree built from scratch", () => {
      Support.forSeeds(runs, (chance) => {
        history(chance, keys(chance), ({ after, fresh }) => {
          assert.strictEqual(after.root().key, Support.treeOf(fresh).root().key)
          return undefined
        })
      })
    })

    it("changes leave exactly the tree's blocks in a store of blocks, which loads again", () => {
      Support.forSeeds(runs, (chance) => {
        const store = new Support.BlockRows()
        store.apply(Tree.empty(), Tree.empty())
        for (const { cid, bytes } of treeBlocks(Tree.empty())) store.rows.set(cid.key, bytes)
        history(chance, keys(chance), ({ before, after, fresh }) => {
          store.apply(before, after)
          const whole = Support.treeOf(fresh)
          assert.strictEqual(after.root().key, whole.root().key)
          assert.deepStrictEqual(
            [...store.rows.keys()].toSorted(),
            treeBlocks(whole)
              .map(({ cid }) => cid.key)
              .toSorted()
          )
          return chance.next() < 0.4 ? Tree.load(store, after.root()) : undefined
        })
      })
    })

    it("changes leave exactly the tree's clusters in a store of clusters, which loads again", () => {
      Support.forSeeds(runs, (chance) => {
        const store = Support.ClusterRows.of(Tree.empty())
        history(chance, keys(chance), ({ before, after, fresh }) => {
          store.apply(before, after)
          const whole = new Map<string, Uint8Array>()
          for (const { cid, bytes } of allClusters(Support.treeOf(fresh))) whole.set(cid.key, bytes)
          assert.deepStrictEqual(sorted(store.rows), sorted(whole))
          assert.deepStrictEqual(store.misled(after.root()), [])
          return chance.next() < 0.4 ? Tree.load(store, after.root()) : undefined
        })
      })
    })

    it("changes invert from the blocks of their frame alone, in any order of operations", () => {
      Support.forSeeds(runs, (chance) => {
        history(chance, keys(chance), ({ before, after, old, fresh, paths }) => {
          const ops = Support.opsBetween(old, fresh, paths)
          const blocks = [
            ...blocksOf(changeOf(before, after).created),
            ...coveringProof(
              after,
              ops.map(({ path }) => path)
            )
          ]
          const root = after.root()
          const shuffled = ops.toSorted(() => chance.next() - 0.5)
          for (const list of [ops, ops.toReversed(), shuffled]) {
            if (blocks.length === 0) assert.strictEqual(list.length, 0)
            else assert.strictEqual(invert(blocks, list, root).key, before.root().key)
          }
          return undefined
        })
      })
    })

    it("buildClusters yields the same clusters as the whole tree has", () => {
      Support.forSeeds(runs, (chance) => {
        history(chance, keys(chance), ({ after, fresh }) => {
          const sortedEntries = [...fresh].toSorted(([a], [b]) => (a < b ? -1 : 1))
          const built = new Support.ClusterRows()
          const steps = buildClusters(sortedEntries)
          let step = steps.next()
          for (; step.done !== true; step = steps.next()) {
            built.stored.set(step.value.row, step.value)
          }
          assert.strictEqual(step.value.key, after.root().key)
          assert.deepStrictEqual(built.misled(after.root()), [])
          const whole = new Map<string, Uint8Array>()
          for (const { cid, bytes } of allClusters(after)) whole.set(cid.key, bytes)
          assert.deepStrictEqual(sorted(built.rows), sorted(whole))
          return undefined
        })
      })
    })

    it("entries iterates in order from any key, forwards and backwards", () => {
      Support.forSeeds(runs, (chance) => {
        const store = Support.ClusterRows.of(Tree.empty())
        history(chance, keys(chance), ({ before, after, fresh }) => {
          store.apply(before, after)
          const tree = Tree.load(store, after.root())
          const all = [...fresh.keys()].toSorted()
          const from = chance.pick([undefined, keys(chance)(), ...all])
          const rising = all.filter((key) => from === undefined || key > from)
          const falling = all.filter((key) => from === undefined || key < from).toReversed()
          assert.deepStrictEqual(
            Array.from(tree.entries(from), ([key]) => key),
            rising
          )
          assert.deepStrictEqual(
            Array.from(tree.entries(from, true), ([key]) => key),
            falling
          )
          for (const [key, cid] of fresh) assert.isTrue(tree.get(key)?.equals(cid))
          assert.strictEqual(tree.get("com.example.none/here"), undefined)
          return tree
        })
      })
    })

    it("recordProof proves every key, present or absent, without other blocks", () => {
      Support.forSeeds(runs, (chance) => {
        history(chance, keys(chance), ({ after, fresh }) => {
          const key = keys(chance)()
          const rows = new Support.BlockRows()
          for (const { cid, bytes } of recordProof(after, key)) rows.rows.set(cid.key, bytes)
          const proven = Tree.load(rows, after.root(), { verify: true }).get(key)
          assert.strictEqual(proven?.key, fresh.get(key)?.key)
          return undefined
        })
      })
    })
  })

  describe(`our trees beside those of @atproto/repo, ${name}`, () => {
    it("changes produce the same root as @atproto/repo", async () => {
      const values = await Promise.all(
        Array.from({ length: 8 }, (_, n) => cidForRecord({ $type: "com.example.record", n }))
      )
      for (let seed = 1; seed <= runs; seed++) {
        const chance = new Support.Chance(seed)
        const newKey = keys(chance)
        const present = new Set<string>()
        let ours = Tree.empty()
        let theirs = await MST.create(new MemoryBlockstore())
        for (let left = 10 + chance.below(40); left > 0; left--) {
          const key = present.size > 0 && chance.next() < 0.5 ? chance.pick([...present]) : newKey()
          const value = chance.pick(values)
          if (!present.has(key)) {
            present.add(key)
            ours = ours.put(key, parseCid(value.toString()))
            theirs = await theirs.add(key, value)
          } else if (chance.next() < 0.3) {
            ours = ours.put(key, parseCid(value.toString()))
            theirs = await theirs.update(key, value)
          } else {
            present.delete(key)
            ours = ours.delete(key)
            theirs = await theirs.delete(key)
          }
          // Their tree in memory keeps its height when it becomes empty; loaded again, it has none.
          if (present.size === 0) theirs = await MST.create(new MemoryBlockstore())
          if (left % 5 !== 1) continue
          const pointer = await theirs.getPointer()
          assert.strictEqual(ours.root().toString(), pointer.toString(), `seed ${seed}`)
        }
      }
    })
  })
}

const treeBlocks = (tree: Tree) =>
  [...preOrder(tree)].flatMap((step) => (step.kind === "node" ? [step] : []))

const sorted = (rows: ReadonlyMap<string, Uint8Array>): Array<[string, string]> =>
  Array.from(rows, ([key, bytes]): [string, string] => [
    key,
    Buffer.from(bytes).toString("hex")
  ]).toSorted(([a], [b]) => (a < b ? -1 : 1))
