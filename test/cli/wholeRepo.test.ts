import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readWholeRepo } from "../../src/cli/backup/wholeRepo.ts"
import { type Block, carBytes } from "../../src/core/repo/car.ts"
import { cidForRaw } from "../../src/core/repo/cid.ts"
import { foreignRepo, newKey, posts } from "../repo/import/importCars.ts"

const did = "did:plc:abcdefghijklmnopqrstuvwx"
const picture = cidForRaw(Uint8Array.of(1, 2, 3))

/** Posts, of which two are equal and one has a picture. */
const records = () => {
  const some = posts(200)
  const [[first, record] = assert.fail("no posts")] = some
  some.set(`${first.slice(0, -1)}a`, record)
  const image = { $type: "blob", ref: picture, mimeType: "image/png", size: 3 }
  some.set("app.bsky.feed.post/3zzzzzzzzzzzz", { $type: "app.bsky.feed.post", text: "", image })
  return some
}

const readCar = (bytes: Uint8Array) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "nacre-car-"))),
    (folder) => {
      const file = join(folder, "repo.car")
      writeFileSync(file, bytes)
      return readWholeRepo(file)
    },
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  ).pipe(Effect.provide(NodeServices.layer))

describe("a backup's CAR", () => {
  it.effect("readCar accepts a CAR with every node and record of its tree, in any order", () =>
    Effect.gen(function* () {
      const repo = yield* Effect.promise(async () =>
        foreignRepo(await newKey(), records(), { did })
      )
      const { commit, nodes } = repo
      const blocks = [commit, ...nodes, ...repo.records]
      for (const order of [blocks, blocks.toReversed()]) {
        const found = yield* readCar(carBytes(commit.cid, order))
        assert.strictEqual(found.commit.did, did)
        assert.strictEqual(found.records, 202)
        assert.deepStrictEqual([...found.blobs], [picture.toString()])
      }
    })
  )

  it.effect("readCar rejects a CAR without any one of its blocks", () =>
    Effect.gen(function* () {
      const {
        commit,
        nodes,
        records: all
      } = yield* Effect.promise(async () => foreignRepo(await newKey(), posts(40), { did }))
      const blocks: ReadonlyArray<Block> = [commit, ...nodes, ...all]
      for (const lost of blocks) {
        const rest = blocks.filter((block) => block !== lost)
        const failure = yield* Effect.flip(readCar(carBytes(commit.cid, rest)))
        assert.match(failure.message, /missing/)
      }
    })
  )

  it.effect("readCar rejects a CAR that ends early, between two blocks or inside one", () =>
    Effect.gen(function* () {
      const {
        commit,
        nodes,
        records: all
      } = yield* Effect.promise(async () => foreignRepo(await newKey(), posts(10), { did }))
      const car = carBytes(commit.cid, [commit, ...nodes, ...all])
      for (let end = 0; end < car.length; end += 7) {
        assert.isTrue((yield* Effect.exit(readCar(car.subarray(0, end))))._tag === "Failure")
      }
      const spoilt = car.slice()
      spoilt[car.length - 1]! ^= 1
      assert.match((yield* Effect.flip(readCar(spoilt))).message, /match its CID/)
    })
  )
})
