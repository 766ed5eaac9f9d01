import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parseCid } from "../../src/core/repo/cid.ts"
import type { RepoOp } from "../../src/core/repo/frame.ts"
import { changeOf } from "../../src/core/repo/mst/diff.ts"
import { invert } from "../../src/core/repo/mst/invert.ts"
import { MissingBlock } from "../../src/core/repo/mst/loader.ts"
import { blocksOf, coveringProof } from "../../src/core/repo/mst/proof.ts"
import { Tree } from "../../src/core/repo/mst/Tree.ts"
import { vectorsOf } from "../support/vectors.ts"

interface Fixture {
  readonly comment: string
  readonly leafValue: string
  readonly keys: ReadonlyArray<string>
  readonly adds: ReadonlyArray<string>
  readonly dels: ReadonlyArray<string>
  readonly rootBeforeCommit: string
  readonly rootAfterCommit: string
  readonly blocksInProof: ReadonlyArray<string>
}

const file = join(await vectorsOf("firehose"), "commit-proof-fixtures.json")
const fixtures = JSON.parse(readFileSync(file, "utf8")) as Array<Fixture>

describe("commit proof vectors", () => {
  it("the interop files hold commit proof vectors", () => assert.isAbove(fixtures.length, 0))

  for (const fixture of fixtures) {
    const value = parseCid(fixture.leafValue)
    const before = () => Tree.build(fixture.keys.toSorted().map((key) => [key, value] as const))
    const after = () => {
      let tree = before()
      for (const key of fixture.adds) tree = tree.put(key, value)
      for (const key of fixture.dels) tree = tree.delete(key)
      return tree
    }
    const ops: Array<RepoOp> = [
      ...fixture.adds.map((path) => ({ action: "create" as const, path, cid: value })),
      ...fixture.dels.map((path) => ({ action: "delete" as const, path, cid: null, prev: value }))
    ]
    const frameBlocks = () => [
      ...blocksOf(changeOf(before(), after()).created),
      ...coveringProof(after(), [...fixture.adds, ...fixture.dels])
    ]

    it(`${fixture.comment}: the roots before and after match the fixture`, () => {
      assert.strictEqual(before().root().toString(), fixture.rootBeforeCommit)
      assert.strictEqual(after().root().toString(), fixture.rootAfterCommit)
    })

    it(`${fixture.comment}: the frame's blocks include the proof`, () => {
      const blocks = new Set(frameBlocks().map(({ cid }) => cid.toString()))
      assert.deepStrictEqual(
        fixture.blocksInProof.filter((cid) => !blocks.has(cid)),
        []
      )
    })

    it(`${fixture.comment}: the operations invert to the previous root, in any order`, () => {
      const root = parseCid(fixture.rootAfterCommit)
      for (const list of [ops, ops.toReversed()]) {
        assert.strictEqual(invert(frameBlocks(), list, root).toString(), fixture.rootBeforeCommit)
      }
    })

    it(`${fixture.comment}: without one block of the proof, inverting fails or is right`, () => {
      const root = parseCid(fixture.rootAfterCommit)
      let refusals = 0
      for (const missing of fixture.blocksInProof) {
        const blocks = frameBlocks().filter(({ cid }) => cid.toString() !== missing)
        try {
          assert.strictEqual(invert(blocks, ops, root).toString(), fixture.rootBeforeCommit)
        } catch (error) {
          assert.instanceOf(error, MissingBlock)
          refusals++
        }
      }
      assert.isAbove(refusals, 0)
    })
  }
})
